# Reads packages, receipts and error reports with pyasn1-modules' RFC 5652 and RFC 4108 types, verifies their signatures with
# the cryptography package over attributes that pyasn1 encoded anew in DER, and prints one JSON object a file.
# Arguments: pairs of a file and the signer's SubjectPublicKeyInfo in DER.
import hashlib
import json
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1.type import univ
from pyasn1_modules import rfc4108, rfc5652

DIGESTS = {'2.16.840.1.101.3.4.2.1': hashes.SHA256, '2.16.840.1.101.3.4.2.2': hashes.SHA384, '2.16.840.1.101.3.4.2.3': hashes.SHA512}


def whole(data, spec):
    value, rest = decode(data, asn1Spec=spec)
    assert not rest, 'bytes behind the value'
    assert encode(value) == bytes(data), 'not DER: encoded anew it differs'
    return value


def name(value):
    if value.getName() == 'preferred':
        return {'id': str(value['preferred']['fwPkgID']), 'version': str(int(value['preferred']['verNum']))}
    return {'legacy': bytes(value['legacy']).hex()}


def community(value):
    if value.getName() == 'communityOID':
        return str(value['communityOID'])
    def entry(one):
        kind = one.getName()
        return 'all' if kind == 'all' else bytes(one['single']).decode() if kind == 'single' else '%s..%s' % (bytes(one['block']['low']).decode(), bytes(one['block']['high']).decode())
    return [str(value['hwModuleList']['hwType'])] + [entry(one) for one in value['hwModuleList']['hwSerialEntries']]


def content_of(kind, data):
    if kind == rfc4108.id_ct_firmwareLoadReceipt:
        receipt = whole(data, rfc4108.FirmwarePackageLoadReceipt())
        return {'version': int(receipt['version']), 'hwType': str(receipt['hwType']), 'serial': bytes(receipt['hwSerialNum']).decode(), 'name': name(receipt['fwPkgName']),
                'anchor': bytes(receipt['trustAnchorKeyID']).hex() if receipt['trustAnchorKeyID'].hasValue() else None,
                'decryptKey': bytes(receipt['decryptKeyID']).decode() if receipt['decryptKeyID'].hasValue() else None}
    if kind == rfc4108.id_ct_firmwareLoadError:
        error = whole(data, rfc4108.FirmwarePackageLoadError())
        return {'version': int(error['version']), 'hwType': str(error['hwType']), 'serial': bytes(error['hwSerialNum']).decode(), 'code': int(error['errorCode']), 'error': str(error['errorCode'].prettyPrint()),
                'vendor': int(error['vendorErrorCode']) if error['vendorErrorCode'].hasValue() else None,
                'name': name(error['fwPkgName']) if error['fwPkgName'].hasValue() else None,
                'config': [name(one['fwPkgName']) for one in error['config']] if error['config'].hasValue() else None}
    return {'sha256': hashlib.sha256(data).hexdigest(), 'bytes': len(data)}


def verify(key, algorithm, digest, signature, signed):
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, signed)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(digest()))
    else:
        assert algorithm == '1.2.840.113549.1.1.10', 'RSA signs with PSS here'
        key.verify(signature, signed, padding.PSS(mgf=padding.MGF1(digest()), salt_length=digest.digest_size), digest())


def read(path, key_path):
    info = whole(open(path, 'rb').read(), rfc5652.ContentInfo())
    assert info['contentType'] == rfc5652.id_signedData
    signed = whole(info['content'], rfc5652.SignedData())
    signer = signed['signerInfos'][0]
    kind = signed['encapContentInfo']['eContentType']
    data = bytes(signed['encapContentInfo']['eContent'])
    attributes = {}
    for attribute in signer['signedAttrs']:
        assert attribute['attrType'] not in attributes and len(attribute['attrValues']) == 1
        known = rfc5652.cmsAttributesMap.get(attribute['attrType'])
        attributes[attribute['attrType']] = whole(attribute['attrValues'][0], known) if known is not None else None
    digest = DIGESTS[str(signer['digestAlgorithm']['algorithm'])]
    assert bytes(attributes[rfc5652.id_messageDigest]) == hashlib.new(digest.name, data).digest()
    as_set = univ.SetOf(componentType=rfc5652.Attribute())
    as_set.extend(list(signer['signedAttrs']))
    key = serialization.load_der_public_key(open(key_path, 'rb').read())
    verify(key, str(signer['signatureAlgorithm']['algorithm']), digest, bytes(signer['signature']), encode(as_set))
    result = {'versions': [int(signed['version']), int(signer['version'])], 'digests': len(signed['digestAlgorithms']), 'signers': len(signed['signerInfos']),
              'sid': signer['sid'].getName(), 'contentType': str(kind), 'content': content_of(kind, data), 'attributes': sorted(str(one) for one in attributes)}
    identifier = attributes.get(rfc4108.id_aa_firmwarePackageID)
    if identifier is not None:
        result['name'] = name(identifier['name'])
        result['stale'] = str(int(identifier['stale']['preferredStaleVerNum'])) if identifier['stale'].hasValue() and identifier['stale'].getName() == 'preferredStaleVerNum' else None
        result['hardware'] = [str(one) for one in attributes[rfc4108.id_aa_targetHardwareIDs]]
    if rfc4108.id_aa_communityIdentifiers in attributes:
        result['communities'] = [community(one) for one in attributes[rfc4108.id_aa_communityIdentifiers]]
    if rfc4108.id_aa_firmwarePackageInfo in attributes:
        package = attributes[rfc4108.id_aa_firmwarePackageInfo]
        result['type'] = int(package['fwPkgType'])
        result['needs'] = [name(one) for one in package['dependencies']]
    if rfc4108.id_aa_implCryptoAlgs in attributes:
        result['cryptoAlgorithms'] = [str(one) for one in attributes[rfc4108.id_aa_implCryptoAlgs]]
    if rfc4108.id_aa_implCompressAlgs in attributes:
        result['compressionAlgorithms'] = [str(one) for one in attributes[rfc4108.id_aa_implCompressAlgs]]
    if rfc4108.id_aa_fwPkgMessageDigest in attributes:
        result['firmwareDigest'] = bytes(attributes[rfc4108.id_aa_fwPkgMessageDigest]['msgDigest']).hex()
    if rfc4108.id_aa_decryptKeyID in attributes:
        result['decryptKey'] = bytes(attributes[rfc4108.id_aa_decryptKeyID]).decode()
    if signer['unsignedAttrs'].hasValue():
        wrapped = whole(signer['unsignedAttrs'][0]['attrValues'][0], rfc4108.WrappedFirmwareKey())
        result['wrapped'] = {'recipient': wrapped['recipientInfos'][0].getName(), 'content': wrapped['encryptedContentInfo']['encryptedContent'].hasValue()}
    return result


for path, key_path in zip(sys.argv[1::2], sys.argv[2::2]):
    print(json.dumps(read(path, key_path)))
