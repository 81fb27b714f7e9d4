#!/usr/bin/env node
/** The command `atomicdb`: what a terminal may ask of a stored database. `atomicdb --help` teaches it. */
import { AtomicDBError } from '../index.js'
import { release } from '../release.js'
import { commands } from './commands.js'
import { help, helpOf } from './help.js'
import { parsed, UsageError } from './arguments.js'

/** Runs a command. Resolves to the exit code: 0, 1 if it failed or found damage, 2 if it was called wrongly. */
async function run(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(rest[0] !== undefined && commands[rest[0]] ? helpOf(rest[0]) : help())
    return name === undefined ? 2 : 0
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${release}\n`)
    return 0
  }
  try {
    const command = commands[name]
    if (!command) throw new UsageError(`there is no command ${name}${nearest(name)}; atomicdb --help lists them`)
    if (rest.some((argument) => argument === '--help' || argument === '-h')) {
      process.stdout.write(helpOf(name))
      return 0
    }
    return (await command.run(parsed(name, command, rest))) ?? 0
  } catch (error) {
    const isUsage = error instanceof UsageError
    const text = error instanceof AtomicDBError ? `${error.code}: ${error.message}` : error instanceof Error ? error.message : String(error)
    process.stderr.write(`atomicdb: ${inTerminal(text)}\n${isUsage && name && commands[name] ? `atomicdb ${name} --help says more\n` : ''}`)
    return isUsage ? 2 : 1
  }
}

/** The options of a call as options of the terminal. */
function inTerminal(text: string): string {
  return text.replaceAll('options.format', '--format').replace(/options\.columns may say what it is: \{ "(.*)": 'text' \}/, '--text=$1 keeps all of it as text')
}

/** A command that differs in one or two letters. */
function nearest(name: string): string {
  const found = Object.keys(commands).find((command) => command.length === name.length ? [...command].filter((letter, n) => letter !== name[n]).length <= 2 : Math.abs(command.length - name.length) <= 2 && (command.startsWith(name) || name.startsWith(command)))
  return found ? `: is ${found} meant?` : ''
}

// A reader such as `head` may close the pipe: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
process.exitCode = await run(process.argv.slice(2))
