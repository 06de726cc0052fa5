"""`zeromag live`: the supervisor, its children on their leashes, and the processing process."""
