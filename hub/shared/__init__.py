"""What every process needs: settings, texts, back-off, TLS, unix sockets, clock and memory."""
