import { Compile } from 'typebox/schema'
import { quickOperation } from '../quick.ts'
import { ACCOUNT_ACTIONS } from './account.ts'
import { type Action, action } from './action.ts'
import { CONTACT_ACTIONS } from './contacts.ts'
import { ELSEWHERE_ACTIONS } from './elsewhere.ts'
import { GROUP_FILE_ACTIONS } from './group-files.ts'
import { GROUP_ACTIONS } from './groups.ts'
import { HISTORY_ACTIONS } from './history.ts'
import { MARK_ACTIONS } from './marks.ts'
import { MEDIA_ACTIONS } from './media.ts'
import { MESSAGE_ACTIONS } from './messages.ts'
import { NAPCAT_ACTIONS } from './napcat.ts'
import { NOTICE_ACTIONS } from './notices.ts'
import { Nothing } from './params.ts'
import { PROFILE_ACTIONS } from './profile.ts'
import { REQUEST_ACTIONS } from './requests.ts'
import { STREAM_ACTIONS } from './streams.ts'

const Quick = Compile({
  type: 'object',
  required: ['context', 'operation'],
  properties: { context: { type: 'object' }, operation: { type: 'object' } },
})

const all: readonly Action[] = [
  ...ACCOUNT_ACTIONS,
  ...MESSAGE_ACTIONS,
  ...HISTORY_ACTIONS,
  ...GROUP_ACTIONS,
  ...GROUP_FILE_ACTIONS,
  ...MARK_ACTIONS,
  ...NOTICE_ACTIONS,
  ...NAPCAT_ACTIONS,
  ...CONTACT_ACTIONS,
  ...PROFILE_ACTIONS,
  ...ELSEWHERE_ACTIONS,
  ...REQUEST_ACTIONS,
  ...MEDIA_ACTIONS,
  ...STREAM_ACTIONS,
  // What it does is not waited for, as in NapCat.
  action('.handle_quick_operation', Quick, ({ context, operation }, call) => {
    quickOperation(call, context, operation)
    return null
  }),
  action(
    'get_supported_actions',
    Nothing,
    () => [...ACTIONS.values()].filter(({ does }) => does !== 'unsupported').map(({ name }) => name),
    'constant',
  ),
]

/** What clients may ask for, by name. */
export const ACTIONS: ReadonlyMap<string, Action> = new Map(all.map((one) => [one.name, one]))

/** Also by its other names: all run at once, and answer with what came of it. */
export const findAction = (name: string): Action | undefined =>
  ACTIONS.get(name) ?? ACTIONS.get(name.replace(/_(?:async|rate_limited)$/, ''))
