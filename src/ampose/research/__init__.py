"""The research wing: data, networks, training and evaluation; needs torch where it trains."""
