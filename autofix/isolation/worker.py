"""A slot: a child of the server that trains what its connection asks for."""
