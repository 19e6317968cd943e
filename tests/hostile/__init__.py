"""What somebody might send to harm a lake: names, bodies, web pages."""
