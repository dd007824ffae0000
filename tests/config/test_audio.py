from __future__ import annotations

import contextlib
import math
import os
import stat
import sys
from pathlib import Path

import miniaudio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.config import AudioShelf, ConfigurationRefused, SayCommand
from autocom.config.alaw import NotAudio, encode, to_alaw
from autocom.config.say import Utterance
from autocom.config.sounds import AudioRefused

from .conftest import load, tone


def decode(byte: int) -> int:
    """G.711 A-law backwards, by the book."""
    value = byte ^ 0x55
    exponent, mantissa = value >> 4 & 7, value & 15
    sample = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return sample if value & 0x80 else -sample


def loudness(samples: list[int]) -> float:
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


def strength(samples: list[int], hertz: float) -> float:
    """Share of the power that lies at one frequency."""
    n = len(samples)
    real = sum(s * math.cos(2 * math.pi * hertz * i / 8000) for i, s in enumerate(samples))
    imaginary = sum(s * math.sin(2 * math.pi * hertz * i / 8000) for i, s in enumerate(samples))
    power = sum(s * s for s in samples) or 1
    return 2 * (real * real + imaginary * imaginary) / n / power


@pytest.fixture
def shelf(tmp_path, stock):
    (tmp_path / "sounds").mkdir()
    return AudioShelf(tmp_path / "cache", tmp_path / "sounds", stock, SayCommand())


@given(st.integers(-32768, 32767))
def test_a_sample_comes_back_from_alaw_within_its_step(sample):
    assert abs(decode(encode(sample)) - sample) <= max(16, abs(sample) / 16)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("amplitude", [1000, 8000, 32000])
def test_a_tone_keeps_its_pitch_and_gets_a_middling_loudness(tmp_path, rate, amplitude):
    raw = to_alaw(tone(tmp_path / "a.wav", 0.5, 440, amplitude, rate).read_bytes())
    samples = [decode(byte) for byte in raw]
    assert len(raw) == pytest.approx(4000, abs=40)
    assert strength(samples, 440) > 0.9
    assert strength(samples, 810) < 0.01
    least, most = (amplitude / math.sqrt(2) * 10 ** (decibels / 20) for decibels in (-12, 12))
    assert loudness(samples) == pytest.approx(max(least, min(32768 / 10, most)), rel=0.15)


def test_a_recording_with_one_loud_clap_is_not_clipped(tmp_path):
    import struct
    import wave

    samples = [round(500 * math.sin(n / 3)) for n in range(8000)]
    samples[4000:4010] = [32767, -32768] * 5
    with wave.open(str(tmp_path / "clap.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(struct.pack("<8000h", *samples))
    decoded = [decode(byte) for byte in to_alaw((tmp_path / "clap.wav").read_bytes())]
    assert loudness(decoded[:3900]) < 600
    assert max(decoded) < 32256


def test_silence_stays_silence(tmp_path):
    raw = to_alaw(tone(tmp_path / "a.wav", 0.2, amplitude=0).read_bytes())
    assert {abs(decode(byte)) for byte in raw} == {8}


@given(st.binary(max_size=200))
def test_no_bytes_whatever_crash_the_conversion(content):
    with contextlib.suppress(NotAudio):
        assert to_alaw(content)


def test_a_sound_is_converted_once_and_kept_under_the_name_of_its_content(shelf, tmp_path):
    source = tone(tmp_path / "sounds/a/b.wav", 0.5)
    audio = shelf.sound("a/b", "fr")
    media = Path(audio.media + ".alaw")
    assert (audio.name, audio.seconds) == ("a/b", pytest.approx(0.5, abs=0.01))
    assert media.is_absolute()
    written = media.stat().st_mtime_ns
    assert shelf.sound("a/b", "fr") == audio
    assert media.stat().st_mtime_ns == written
    tone(source, 0.5, hertz=600)
    shelf.finder.refresh()
    changed = shelf.sound("a/b", "fr")
    assert changed.media != audio.media
    assert media.is_file(), "a call that plays the old one must not lose it"


@pytest.mark.parametrize(("suffix", "rate"), [("alaw", 8000), ("ulaw", 8000), ("g722", 8000), ("gsm", 1650)])
def test_what_a_telephone_plays_already_is_copied_as_it_is(shelf, tmp_path, suffix, rate):
    content = os.urandom(rate)
    (tmp_path / f"sounds/x.{suffix}").write_bytes(content)
    audio = shelf.sound("x", "fr")
    assert audio.seconds == 1.0
    assert Path(f"{audio.media}.{suffix}").read_bytes() == content


def test_the_admins_own_sound_goes_before_the_stock_one_and_languages_do_not_mix(shelf, tmp_path, stock):
    french, english = shelf.sound("nobody", "fr"), shelf.sound("nobody", "en")
    assert shelf.finder.sound("nobody", "en") == stock / "en/nobody.wav"
    assert french.name == english.name == "nobody"
    tone(tmp_path / "sounds/nobody.wav", 0.3)
    shelf.finder.refresh()
    assert shelf.sound("nobody", "fr").seconds == pytest.approx(0.3, abs=0.01)


def test_a_music_is_a_file_or_a_folder_played_in_the_order_of_its_names(shelf, tmp_path):
    assert len(shelf.music("calme-1", "fr").files) == 1
    for name in ("b", "a", "c"):
        tone(tmp_path / f"sounds/jazz/{name}.wav", 0.1)
    shelf.finder.refresh()
    music = shelf.music("jazz", "fr")
    assert [Path(file).name[0] for file in music.files] == ["a", "b", "c"]
    assert music.moh_class.startswith("music-jazz-")
    tone(tmp_path / "sounds/jazz/a.wav", 0.1, hertz=700)
    assert shelf.music("jazz", "fr").moh_class != music.moh_class


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.wav", b"", "x.wav is empty"),
        ("x.wav", b"RIFF....WAVEfmt ", "x.wav: not a WAV, FLAC or MP3 that can be read"),
        ("x.mp3", b"no music" * 100, "x.mp3: not a WAV"),
        ("x.flac", b"fLaC" + b"\0" * 100, "x.flac: "),
    ],
)
def test_a_broken_recording_is_refused_with_its_name(shelf, tmp_path, name, content, words):
    (tmp_path / "sounds" / name).write_bytes(content)
    with pytest.raises(AudioRefused) as refusal:
        shelf.sound("x", "fr")
    assert words in str(refusal.value)


def test_a_broken_recording_is_a_fault_where_it_is_named(desk, tmp_path, stock):
    desk.client(rules="\n  - name: open\n    do: [{play: {sound: §x}}, {queue: {team: general}}]")
    (desk.folder / "sounds").mkdir()
    (desk.folder / "sounds/x.wav").write_bytes(b"RIFF")
    shelf = AudioShelf(tmp_path / "cache", desk.folder / "sounds", stock, SayCommand())
    with pytest.raises(ConfigurationRefused) as refusal:
        load(desk.folder, shelf, 2026)
    ((fault),) = refusal.value.faults
    assert (fault.file, fault.line, fault.column) in desk.marks
    assert "x.wav" in fault.message


def test_a_link_out_of_the_folder_is_not_a_sound(shelf, tmp_path):
    tone(tmp_path / "other/secret.wav")
    (tmp_path / "sounds/secret.wav").symlink_to(tmp_path / "other/secret.wav")
    (tmp_path / "sounds/folder").symlink_to(tmp_path / "other")
    for name in ("secret", "folder/secret", "../other/secret", str(tmp_path / "other/secret")):
        with pytest.raises(AudioRefused):
            shelf.sound(name, "fr")


def test_a_sound_in_a_file_nobody_may_read_is_refused(shelf, tmp_path):
    path = tone(tmp_path / "sounds/x.wav")
    path.unlink()
    path.symlink_to(tmp_path / "sounds/gone.wav")
    with pytest.raises(AudioRefused):
        shelf.sound("x", "fr")


def test_a_text_is_spoken_and_kept(shelf):
    shelf.prepare([("Bonjour.", "fr"), ("Hello.", "en")])
    french, english = shelf.say("Bonjour.", "fr"), shelf.say("Hello.", "en")
    assert 0.3 < french.seconds < 3
    assert french.media != english.media
    samples = [decode(byte) for byte in Path(french.media + ".alaw").read_bytes()]
    assert loudness(samples) > 500


SPEAKER = """\
import shutil, sys
open({log!r}, "a").write(repr(sys.argv[1:]) + "\\n")
shutil.copy({sound!r}, sys.argv[2])
"""


@pytest.fixture
def speaker(tmp_path):
    """A speech program that writes down what it was asked."""
    log, sound, program = tmp_path / "asked", tone(tmp_path / "voice.wav", 0.4), tmp_path / "speak.py"
    program.write_text(SPEAKER.format(log=str(log), sound=str(sound)))
    return f"{sys.executable} {program} {{language}} {{out}} '-t={{text}}'", log


@pytest.mark.parametrize(
    "text", ["Bonjour.", "; touch /tmp/pwned", "$(id) `id`", "-x --help", "{out} {language}", "l'été « ici »"]
)
def test_another_command_speaks_without_a_shell_whatever_the_text(tmp_path, stock, speaker, text):
    template, log = speaker
    shelf = AudioShelf(tmp_path / "cache", tmp_path / "sounds", stock, SayCommand(template))
    assert shelf.say(text, "fr").seconds == pytest.approx(0.4, abs=0.01)
    assert shelf.say(text, "fr").media.endswith(Path(shelf.say(text, "fr").media).name)
    asked = log.read_text().splitlines()
    assert len(asked) == 1, "spoken once, then kept"
    assert repr(f"-t={text}") in asked[0]
    assert asked[0].startswith("['fr', ")


def test_another_command_s_speech_is_not_mistaken_for_the_first_s(tmp_path, stock, speaker):
    template, _ = speaker
    one = AudioShelf(tmp_path / "cache", tmp_path, stock, SayCommand(template))
    two = AudioShelf(tmp_path / "cache", tmp_path, stock, SayCommand(template + " x"))
    assert one.say("a", "fr").media != two.say("a", "fr").media


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("/nonexistent/speak {text} {out}", "cannot be run: No such file"),
        (
            f"{sys.executable} -c 'import sys; sys.exit(\"no voice\")' {{text}} {{out}}",
            "failed (1): no voice",
        ),
        (f"{sys.executable} -c pass {{text}} {{out}}", "wrote no sound file"),
        (
            f'{sys.executable} -c \'import sys; open(sys.argv[2],"w").write("x")\' {{text}} {{out}}',
            "not a WAV",
        ),
    ],
)
def test_a_speech_command_that_fails_is_a_fault_at_the_text(desk, tmp_path, stock, template, words):
    desk.client(rules='\n  - name: open\n    do: [{play: {say: §"Bonjour."}}, {queue: {team: general}}]')
    shelf = AudioShelf(tmp_path / "cache", desk.folder / "sounds", stock, SayCommand(template))
    with pytest.raises(ConfigurationRefused) as refusal:
        load(desk.folder, shelf, 2026)
    (fault,) = refusal.value.faults
    assert (fault.file, fault.line, fault.column) in desk.marks
    assert words in fault.message


@pytest.mark.parametrize("template", ["speak {text}", "speak {out}", "speak 'x {text} {out}"])
def test_a_speech_command_that_cannot_work_is_refused_at_once(template):
    with pytest.raises(ValueError):
        SayCommand(template)


def test_every_utterance_gets_an_answer_where_the_library_s_process_cannot_run(tmp_path):
    wanted = [Utterance("Bonjour.", "xx-no-such-voice", tmp_path / "a.wav")] * 2
    errors = SayCommand().speak(wanted)
    assert len(errors) == 2
    assert all(errors)


def test_two_shelves_may_fill_one_cache_and_leave_no_half_file(tmp_path, stock):
    tone(tmp_path / "sounds/a.wav", 0.2)
    shelves = [AudioShelf(tmp_path / "cache", tmp_path / "sounds", stock, SayCommand()) for _ in range(2)]
    assert shelves[0].sound("a", "fr") == shelves[1].sound("a", "fr")
    files = list((tmp_path / "cache").iterdir())
    assert [file.suffix for file in files] == [".alaw"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o644, "Asterisk may run as another user"


def test_a_flac_is_read_as_a_wav_is():
    path = Path(__file__).resolve().parents[2] / "sounds/fr/nobody.flac"
    whole = miniaudio.get_file_info(str(path))
    assert len(to_alaw(path.read_bytes())) / 8000 == pytest.approx(whole.duration, abs=0.05)


def test_a_cache_that_cannot_be_written_is_said_and_never_a_crash(tmp_path, stock):
    (tmp_path / "cache").write_text("in the way")
    shelf = AudioShelf(tmp_path / "cache", tmp_path / "sounds", stock, SayCommand())
    with pytest.raises(AudioRefused) as refusal:
        shelf.sound("nobody", "fr")
    assert f"cannot be kept in {tmp_path}/cache" in str(refusal.value)
