import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { handshake, RawClient } from './raw.ts'

/** A folder with certificates, and the pair that is in use: 'cert.pem' and 'key.pem'. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'fiberws-pems-'))

  /** Makes certificates that nobody trusts: '<name>.pem' and '<name>-key.pem'. */
  constructor(...names: string[]) {
    for (const name of names) {
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
      const files = ['-keyout', `${name}-key.pem`, '-out', `${name}.pem`]
      execFileSync('openssl', ['req', '-x509', ...key, ...files, '-subj', `/CN=${name}`], {
        cwd: this.folder,
        stdio: 'pipe',
      })
    }
  }

  file(name: string): string {
    return join(this.folder, name)
  }

  get tls(): { certificate: string; key: string } {
    return { certificate: this.file('cert.pem'), key: this.file('key.pem') }
  }

  /** Puts a certificate where it is used. */
  useCertificate(name: string): void {
    copyFileSync(this.file(`${name}.pem`), this.file('cert.pem'))
  }

  useKey(name: string): void {
    copyFileSync(this.file(`${name}-key.pem`), this.file('key.pem'))
  }

  use(name: string): void {
    this.useCertificate(name)
    this.useKey(name)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true })
  }
}

/** A connection over TLS, and the name in the certificate that it was shown. */
export function dialSecure(port: number, path = '/'): Promise<{ client: RawClient; name: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
    const client = new RawClient(socket)
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      client.send(handshake(path))
      const name = socket.getPeerCertificate().subject.CN
      client.response().then(() => resolve({ client, name: String(name) }), reject)
    })
  })
}

/** The name in the certificate that a new connection is shown. */
export async function nameAt(port: number): Promise<string> {
  const { client, name } = await dialSecure(port)
  client.destroy()
  return name
}
