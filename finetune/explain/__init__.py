"""Which leads and moments of a recording moved an answer: integrated gradients, occlusion, and their pictures."""
