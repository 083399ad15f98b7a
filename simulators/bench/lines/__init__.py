"""Thousands of WebSockets on one core: raw sockets, epoll, every distinct byte decoded once."""
