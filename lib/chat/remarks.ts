import type { Core } from './core.ts'
import type { Param } from './store/database.ts'

/** What somebody calls others, and channels, for themselves. */
export class Remarks {
  readonly #find
  readonly #put
  readonly #drop

  constructor({ db }: Core) {
    this.#find = db.first((q, p: Param<{ owner: string; kind: 'user' | 'channel'; target: string }>) =>
      q
        .selectFrom('remarks')
        .select('remark')
        .where('owner_id', '=', p('owner'))
        .where('kind', '=', p('kind'))
        .where('target_id', '=', p('target')),
    )
    this.#put = db.run((q, p: Param<{ owner: string; kind: 'user' | 'channel'; target: string; remark: string }>) =>
      q
        .replaceInto('remarks')
        .values({ owner_id: p('owner'), kind: p('kind'), target_id: p('target'), remark: p('remark') }),
    )
    this.#drop = db.run((q, p: Param<{ owner: string; kind: 'user' | 'channel'; target: string }>) =>
      q
        .deleteFrom('remarks')
        .where('owner_id', '=', p('owner'))
        .where('kind', '=', p('kind'))
        .where('target_id', '=', p('target')),
    )
  }

  /** '' for none. */
  find(owner: string, kind: 'user' | 'channel', target: string): string {
    return this.#find({ owner, kind, target })?.remark ?? ''
  }

  // Changes

  set(owner: string, kind: 'user' | 'channel', target: string, remark: string): void {
    if (remark === '') this.#drop({ owner, kind, target })
    else this.#put({ owner, kind, target, remark })
  }
}
