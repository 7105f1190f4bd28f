"""Files on their way: the stream that a parcel is, its landing, and both ends of a transfer."""
