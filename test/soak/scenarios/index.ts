import type { Scenario } from '../scenario.ts'
import { agent, answers, reader } from './agent.ts'
import { bots } from './bots.ts'
import { crash } from './crash.ts'
import { crowd } from './crowd.ts'
import { cut } from './cut.ts'
import { drain } from './drain.ts'
import { flood } from './flood.ts'
import { restart } from './restart.ts'
import { resume } from './resume.ts'
import { rights } from './rights.ts'
import { stalled } from './stalled.ts'
import { workers } from './workers.ts'

export const scenarios = {
  stalled,
  flood,
  crowd,
  drain,
  workers,
  crash,
  resume,
  rights,
  cut,
  restart,
  agent,
  answers,
  reader,
  bots,
} satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof scenarios

export const isScenarioName = (name: string): name is ScenarioName => Object.hasOwn(scenarios, name)

export const scenarioNames = Object.keys(scenarios).filter(isScenarioName)
