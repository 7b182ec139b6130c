"""How long do people wait for an answer about their code, beside what they use today?"""
