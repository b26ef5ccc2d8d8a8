# Drives the real imgtool in one Python process, since starting it costs more than most of its work: a JSON object a line on
# stdin, one a line on stdout. `call` is one imgtool command; `open` decrypts an image with Python's own cryptography, after
# docs/encrypted_images.md, so that what we encrypt is not only read back by ourselves.
import hashlib
import hmac
import json
import sys

REPLIES = sys.stdout


class LateStdout:
    """imgtool's key printers took hold of sys.stdout when they were imported; this hands on to whatever it is now."""

    def __getattr__(self, name):
        return getattr(REPLIES if sys.stdout is self else sys.stdout, name)


sys.stdout = LateStdout()

from click.testing import CliRunner
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from imgtool.main import imgtool

ENC_RSA, ENC_P256, ENC_X25519, ENC_X25519_SHA512 = 0x30, 0x32, 0x33, 0x34
runner = CliRunner()


def call(args):
    result = runner.invoke(imgtool, args)
    error = result.exception
    return {
        'code': result.exit_code,
        'output': result.output,
        # a traceback is a crash of imgtool, not a refusal
        'crash': None if error is None or isinstance(error, SystemExit) else repr(error),
    }


def ctr(key, data):
    return Cipher(algorithms.AES(key), modes.CTR(bytes(16))).decryptor().update(data)


def shared_secret(key, kind, point):
    if kind == ENC_P256:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        return key.exchange(ec.ECDH(), public)
    return key.exchange(x25519.X25519PublicKey.from_public_bytes(point))


def content_key(key, kind, value):
    if kind == ENC_RSA:
        sha = hashes.SHA256()
        return key.decrypt(value, padding.OAEP(mgf=padding.MGF1(algorithm=sha), algorithm=sha, label=None))
    digest = hashes.SHA512() if kind == ENC_X25519_SHA512 else hashes.SHA256()
    point_bytes = 65 if kind == ENC_P256 else 32
    point, mac = value[:point_bytes], value[point_bytes:point_bytes + digest.digest_size]
    wrapped = value[point_bytes + digest.digest_size:]
    derived = HKDF(algorithm=digest, length=len(wrapped) + digest.digest_size, salt=None, info=b'MCUBoot_ECIES_v1')
    keys = derived.derive(shared_secret(key, kind, point))
    cipher_key, mac_key = keys[:len(wrapped)], keys[len(wrapped):]
    if not hmac.compare_digest(hmac.digest(mac_key, wrapped, digest.name), mac):
        raise ValueError('the MAC does not hold')
    return ctr(cipher_key, wrapped)


def open_image(file, offset, length, kind, value, key):
    with open(key, 'rb') as pem:
        private = load_pem_private_key(pem.read(), None)
    with open(file, 'rb') as image:
        image.seek(offset)
        payload = image.read(length)
    return {'sha256': hashlib.sha256(ctr(content_key(private, kind, bytes.fromhex(value)), payload)).hexdigest()}


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = call(asked['call']) if 'call' in asked else open_image(**asked['open'])
    except Exception as error:  # the test says what it expected
        answer = {'error': repr(error)}
    print(json.dumps(answer), file=REPLIES, flush=True)
