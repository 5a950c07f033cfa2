"""What a trace tells: the picture of the cluster at any moment, and the story in lines.

Everything a person watches is drawn from here, and all that is here comes from rows: so a recorded run, a live one and
a real cluster look alike, and going back in time is reading an earlier row.
"""
