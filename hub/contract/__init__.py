"""What crosses a border: messages, topics, SCAIP codes, and the words between processes."""
