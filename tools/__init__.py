"""What only developers use: pages made from code, the console's pictures, a pretended run to live with, figures."""
