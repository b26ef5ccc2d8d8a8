// `package`: CMS firmware packages (RFC 5652, RFC 4108) around images, and the certificates and receipts that go with
// them. Each command is a file of its own; here they get their options.
import { Option } from 'commander'
import type { Command } from 'commander'
import type { Act } from '../call.ts'
import { wholeNumber } from '../numbers.ts'
import { bigNumber, collect, oidText, oids, packageNames, serialLists } from '../packages.ts'
import { certify, importCertificates, request, revoke, trust } from '../package-certify.ts'
import type { CertifyFlags, RequestFlags, RevokeFlags } from '../package-certify.ts'
import { addKey, exportKey, listFirmwareKeys, makeKey, removeKey } from '../package-keys.ts'
import type { AddKeyFlags, ExportKeyFlags } from '../package-keys.ts'
import { make } from '../package-make.ts'
import type { MakeFlags } from '../package-make.ts'
import { inspect, open } from '../package-open.ts'
import type { OpenFlags } from '../package-open.ts'
import { receipt, verifyReceipt } from '../package-receipt.ts'
import type { ReceiptFlags, VerifyReceiptFlags } from '../package-receipt.ts'
import type { PassphraseOptions } from '../passphrase.ts'

const u32Max = 0xffff_ffff

export function declare(command: Command, act: Act): void {
  declareMake(command.command('make').description('wrap a signed image in a signed firmware package'), act)
  declareOpening(command.command('open').description('prove a package and write the image it carries'), act, 'open')
  declareOpening(command.command('inspect').description('show a package layer by layer, and what of it is proven'), act, 'inspect')
  declareReceipt(command, act)
  declareCertificates(command, act)
  declareKeys(command.command('key').description('AES keys that encrypted packages are opened with here'), act)
}

function declareKeys(command: Command, act: Act): void {
  const kept = (one: Command) => one.option('--passphrase-file <file>', 'file whose first line is the new passphrase, under which the key is kept (default: asked for)')
  kept(command.command('make').description('make a firmware key; it rests encrypted in the home')).requiredOption('--id <name>', 'what packages are to call it')
    .addOption(new Option('--bits <n>', 'size of the key').choices(['128', '256']).default('256'))
    .action(act<PassphraseOptions & { id: string; bits: string }>((call, _words, flags) => makeKey(call, { ...flags, bits: flags.bits === '128' ? 128 : 256 })))
  withFirmwarePassphrase(kept(command.command('add').description('keep a firmware key, or a key that firmware keys are wrapped with; it rests encrypted in the home').argument('<file>', '16 or 32 bytes, as many in hex, or what key export gave'))
    .requiredOption('--id <name>', 'what packages call it'), 'file whose first line opens the file, where it is encrypted')
    .action(act<AddKeyFlags>((call, [path = ''], flags) => addKey(call, path, flags)))
  command.command('list').description('which there are').action(act((call) => listFirmwareKeys(call)))
  withFirmwarePassphrase(command.command('export').description('give a key out, encrypted as it rests; another station takes it in with key add').argument('<name>', 'what packages call it').argument('<out>', 'file to write')
    .option('--clear', 'unencrypted, in hex, as boards need it'))
    .action(act<ExportKeyFlags>((call, [id = '', out = ''], flags) => exportKey(call, id, out, flags)))
  command.command('remove').description('forget a key').argument('<name>', 'what packages call it').action(act((call, [id = '']) => removeKey(call, id)))
}

function withFirmwarePassphrase(command: Command, what = 'file whose first line is the passphrase of the firmware key (default: asked for)'): Command {
  return command.option('--firmware-passphrase-file <file>', what)
}

function withKey(command: Command, what: string): Command {
  return command
    .requiredOption('-k, --key <key>', `${what}: name of one of the station's keys (also in a token), a pkcs11: URI, or a PEM file`)
    .option('--passphrase-file <file>', 'file whose first line is the key\'s passphrase')
    .option('--pin-file <file>', 'file whose first line is the PIN of the token the key is in (default: asked for)')
}

function declareMake(command: Command, act: Act): void {
  withKey(command.argument('<in>', 'signed image; with --in-place the firmware itself').argument('<out>', 'package to write'), 'key that signs the package')
    .requiredOption('--hardware <oid>', 'hardware type it is for (may be repeated)', oids)
    .option('--id <oid>', 'identifier of the package; without it --name', oidText)
    .option('--name <text>', 'free name instead of identifier and version')
    .option('--package-version <n>', 'version of the package (default: the image\'s version as one number)', bigNumber)
    .option('--stale <n>', 'refuse versions up to this one from now on', bigNumber)
    .option('--cert <file>', 'the signer\'s certificate, then those above it')
    .option('--no-embed', 'do not put certificates into the package')
    .option('--issuer-serial', 'name the signer by issuer and serial number instead of by key identifier')
    .option('--community <oid>', 'limit to members of this community (may be repeated)', oids)
    .option('--serials <list>', 'limit to units: OID=SERIAL, OID=LOW..HIGH, OID=all, several between commas (may be repeated)', serialLists)
    .option('--type <n>', 'package type', bigNumber)
    .option('--needs <package>', 'another package it needs, OID:VERSION (may be repeated)', packageNames)
    .option('--description <text>', 'a line for people')
    .option('--crypto <oid>', 'cryptographic algorithm that the firmware offers (may be repeated)', oids)
    .option('--compression-algorithm <oid>', 'compression algorithm that the firmware offers (may be repeated)', oids)
    .option('--no-digest', 'leave out the firmware\'s own digest')
    .option('--no-time', 'leave out the signing time')
    .option('--nested', 'put the firmware into an octet string of its own inside')
    .option('--compress', 'compress with zlib')
    .option('--encrypt-key <file>', 'encrypt with this AES key (16 or 32 bytes, or hex); without it with the home\'s own of that name')
    .option('--encrypt-key-id <name>', 'what boards call that key')
    .option('--wrap-key <file>', 'send the key along, wrapped with this one; without it with the home\'s own of that name')
    .option('--wrap-key-id <name>', 'what boards call the wrapping key')
    .option('--firmware-passphrase-file <file>', 'file whose first line is the passphrase of those keys, where the home keeps them (default: asked for)')
    .option('--product <name>', 'product the firmware is for, where the key\'s policy asks for it')
    .addOption(new Option('--for <class>', 'class of the recipe it is meant for').choices(['production', 'test']))
    .option('--in-place', 'lay out so that the firmware runs from inside the package')
    .option('--slot-address <address>', 'with --in-place: address the package will lie at', wholeNumber(0, u32Max))
    .option('--vector-align <bytes>', 'with --in-place: alignment of the vector table', wholeNumber(1, 0x8000), 512)
    .option('--relink <command>', 'with --in-place: link anew each round; it finds SLOTWRIGHT_ADDRESS and writes SLOTWRIGHT_OUT')
    .option('--rounds <n>', 'with --in-place: rounds before giving up', wholeNumber(1, 1000), 20)
    .option('--image-key <key>', 'with --in-place: key that signs the image')
    .option('--image-version <text>', 'with --in-place: version of the image')
    .option('--slot-size <bytes>', 'with --in-place: size of the slot', wholeNumber(1, u32Max), 0x69000)
    .addHelpText('after', '\nExamples:\n  slotwright package make app-1.1.0.bin app-1.1.0.cms -k release --hardware 1.3.6.1.4.1.99999.7.1 --id 1.3.6.1.4.1.99999.1.4\n  slotwright package make app.bin app.cms -k release --hardware 1.2.3 --id 1.2.4 --in-place --slot-address 0x75000 --image-key boot --image-version 1.1.0')
    .action(act<MakeFlags>((call, [input = '', output = ''], flags) => make(call, input, output, flags)))
}

function declareOpening(command: Command, act: Act, what: 'open' | 'inspect'): void {
  command.argument('<package>', 'package file')
  if (what === 'open') command.argument('<out>', 'where to write the image')
  command
    .option('--trust <file-or-key>', 'certificate or key to trust (may be repeated; default: the home\'s own)', collect)
    .option('--certificate <file>', 'certificate that the package does not bring (may be repeated)', collect)
    .option('--crl <file>', 'revocation list (may be repeated)', collect)
    .option('--hardware <oid>', 'the board\'s hardware type', oidText)
    .option('--unit <serial>', 'the board: its serial number is checked against the package\'s list, its log against the stale version')
    .option('--member <oid>', 'community the board is a member of (may be repeated)', oids)
    .option('--room <bytes>', 'room for the firmware', wholeNumber(1, u32Max))
    .option('--decrypt-key <file>', 'AES key the firmware is encrypted with (default: the home\'s firmware keys)')
    .option('--decrypt-key-id <name>', 'what the package calls that key')
    .option('--unwrap-key <file>', 'AES key the firmware key is wrapped with')
    .option('--unwrap-key-id <name>', 'what the package calls that key')
    .option('--firmware-passphrase-file <file>', 'file whose first line is the passphrase of the home\'s firmware key (default: asked for)')
    .option('--image-key <key>', 'key the image inside must be signed with')
  if (what === 'open') command.action(act<OpenFlags>((call, [path = '', out = ''], flags) => open(call, path, out, flags)))
  else command.action(act<OpenFlags>((call, [path = ''], flags) => inspect(call, path, flags)))
}

function declareReceipt(command: Command, act: Act): void {
  withKey(command.command('receipt').description('sign load receipts and error reports for what the log says of a unit or a batch').argument('<folder>', 'where to write them, one file a run'), 'key that signs on the units\' behalf')
    .option('--hardware <oid>', 'the units\' hardware type (default: what their batch or package names)', oidText)
    .option('--unit <serial>', 'only this unit')
    .option('--batch <batch>', 'only this batch')
    .option('--id <oid>', 'package identifier, for images that came without a package', oidText)
    .option('--cert <file>', 'the station\'s certificate, then those above it; they are embedded (default: those of the home\'s `certificates` folder that belong to the key)')
    .action(act<ReceiptFlags>((call, [folder = ''], flags) => receipt(call, folder, flags)))
  command.command('verify-receipt').description('prove a receipt or error report and say what it says').argument('<file>', 'receipt file')
    .option('--trust <file-or-key>', 'certificate or key to trust (may be repeated; default: the home\'s own)', collect)
    .option('--certificate <file>', 'certificate that the receipt does not bring (may be repeated)', collect)
    .action(act<VerifyReceiptFlags>((call, [path = ''], flags) => verifyReceipt(call, path, flags)))
}

function declareCertificates(command: Command, act: Act): void {
  withKey(command.command('certify').description('make a certificate: of one\'s own, for one of the station\'s keys, or for a request').argument('<out>', 'certificate to write (PEM)'), 'key of the authority')
    .option('--name <text>', 'whom it is for')
    .option('--authority <file>', 'the authority\'s certificate; without it the certificate is its own anchor')
    .option('--for <key>', 'key to certify: name or PEM file')
    .option('--request <file>', 'certification request to answer')
    .addOption(new Option('--role <role>', 'what it may do').choices(['signer', 'authority', 'both']).default('signer'))
    .option('--days <n>', 'how long it is valid', wholeNumber(1, 36_500), 1825)
    .option('--unit <oid=serial>', 'the hardware module it signs for')
    .action(act<CertifyFlags>((call, [out = ''], flags) => certify(call, out, flags)))
  withKey(command.command('request').description('make a certification request for an outside authority').argument('<out>', 'request to write (PEM)'), 'key to be certified')
    .requiredOption('--name <text>', 'whom it is for')
    .action(act<RequestFlags>((call, [out = ''], flags) => request(call, out, flags)))
  withKey(command.command('revoke').description('make a revocation list').argument('<out>', 'list to write (PEM)').argument('[certificates...]', 'certificates to revoke'), 'key of the authority')
    .requiredOption('--authority <file>', 'the authority\'s certificate')
    .option('--days <n>', 'until the next list', wholeNumber(1, 3650), 30)
    .option('--number <n>', 'number of the list', wholeNumber(1, u32Max), 1)
    .action(act<RevokeFlags>((call, [out = '', ...certificates], flags) => revoke(call, out, certificates, flags)))
  command.command('certificate').description('take in certificates from elsewhere: an authority\'s answer to a request, and those above it').argument('<file>', 'certificates (PEM or DER)').action(act((call, [path = '']) => importCertificates(call, path)))
  command.command('trust').description('take a certificate as trust anchor of this home').argument('<file>', 'certificate').action(act((call, [path = '']) => trust(call, path)))
}
