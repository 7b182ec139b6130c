"""What is the slope of a function that can only be called, and how far may that be off?"""
