"""Try to reach the network."""

import socket

socket.socket().connect(("192.0.2.1", 80))
