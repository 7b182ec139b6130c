"""How honest and how dear are numerical derivatives with an error estimate: ours and three peers' on 11,000 pairs?"""
