"""Here so that pytest finds the helpers of this folder."""
