"""Play a WAV file into the other end of the loopback card: what the voice's microphone hears."""

import sys
import wave

import pyaudio

with wave.open(sys.argv[1]) as file:
    rate_hz, pcm = file.getframerate(), file.readframes(file.getnframes())
library = pyaudio.PyAudio()
devices = [library.get_device_info_by_index(n) for n in range(library.get_device_count())]
index = next(d["index"] for d in devices if "(hw:0,0)" in d["name"])
stream = library.open(
    rate=rate_hz, channels=1, format=pyaudio.paInt16, output=True, output_device_index=index
)
stream.write(pcm + bytes(2 * rate_hz * 2))  # two seconds of silence: the speaker has ended
stream.close()
library.terminate()
