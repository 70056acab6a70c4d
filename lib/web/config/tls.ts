import { resolve } from 'node:path'
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { TlsFiles } from '../../engine/port.ts'
import type { CheckedConfig } from './check.ts'
import { verify } from './schema.ts'

// Engines notice what is wrong with these late, or not at all.

/** Throws what is wrong with it. */
export function parseCertificate(file: string): X509Certificate {
  const pem = read(file)
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw new Error('is no certificate in PEM', { cause: error })
  }
}

/** Throws what is wrong with it. */
export function parseKey(file: string): KeyObject {
  const pem = read(file)
  try {
    return createPrivateKey(pem)
  } catch (error) {
    const encrypted = /ENCRYPTED/.test(pem.toString('latin1'))
    const rule = encrypted ? 'is encrypted: take the passphrase off with `openssl pkey`' : 'is no private key in PEM'
    throw new Error(rule, { cause: error })
  }
}

/** Whether a key is that of a certificate; also where one of them is wrong for itself, which is another matter. */
export function isPair(certFile: string, keyFile: string): boolean {
  try {
    return parseCertificate(certFile).checkPrivateKey(parseKey(keyFile))
  } catch {
    return true
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new Error(code === 'ENOENT' ? 'no such file' : `cannot be read: ${code}`, { cause: error })
  }
}

/** What an engine needs of the certificate of a host. The files have been checked. */
export function readTls(tls: NonNullable<CheckedConfig['tls']>, folder: string): TlsFiles {
  const [certFile, keyFile] = [resolve(folder, tls.certificate), resolve(folder, tls.key)]
  const { client, issuer } = verify.properties
  const asks = tls.verify?.client ?? client.default
  const strict = tls.verify?.issuer ?? issuer.default
  return {
    certFile,
    keyFile,
    cert: read(certFile),
    key: read(keyFile),
    ciphers: tls.ciphers?.join(':') ?? null,
    authority: tls.authority === undefined ? null : read(resolve(folder, tls.authority)),
    verify: asks ? (strict ? 'issued' : 'any') : 'none',
  }
}

/** What is wrong is said with the file's name: no config says where it stands. */
function named<T>(file: string, parse: (file: string) => T): T {
  try {
    return parse(file)
  } catch (error) {
    throw new Error(`${file} ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** The same files as they are now. Throws what is wrong with them. */
export function rereadTls(tls: TlsFiles): TlsFiles {
  const { certFile, keyFile } = tls
  const certificate = named(certFile, parseCertificate)
  if (!certificate.checkPrivateKey(named(keyFile, parseKey))) {
    throw new Error(`${keyFile} does not belong to ${certFile}`)
  }
  return { ...tls, cert: read(certFile), key: read(keyFile) }
}
