// What the tests use of Node, so that the types of Node's globals do not mix with the browser's.
declare module 'node:child_process' {
  export interface ChildProcess {
    readonly exitCode: number | null
    readonly stdout: { on(event: 'data', take: (data: { toString(): string }) => void): void } | null
    readonly stderr: ChildProcess['stdout']
    on(event: 'exit', call: () => void): void
    once(event: 'exit', call: () => void): void
    kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): boolean
  }
  interface Options { cwd?: string; stdio?: unknown; input?: string }
  export function spawn(program: string, args: string[], options?: Options): ChildProcess
  export function execFileSync(program: string, args: string[], options?: Options): { toString(): string }
}
declare module 'node:fs' {
  export function mkdtempSync(prefix: string): string
  export function rmSync(path: string, options: { recursive: boolean; force: boolean }): void
  export function writeFileSync(path: string, data: string): void
  export function readFileSync(path: string | URL, encoding: 'utf8' | 'latin1'): string
  export function readdirSync(path: string): string[]
}
declare module 'node:os' {
  export function tmpdir(): string
}
declare module 'node:path' {
  export function join(...parts: string[]): string
}
declare module 'node:net' {
  export interface Socket {
    on(event: 'data', take: (data: Uint8Array) => void): this
    on(event: 'close' | 'error' | 'connect', call: () => void): this
    write(data: Uint8Array): boolean
    destroy(): void
    pause(): void
    resume(): void
  }
  export interface Server {
    listen(port: number, host: string, call: () => void): void
    address(): { port: number }
    close(): void
  }
  export function createServer(take: (socket: Socket) => void): Server
  export function connect(port: number, host: string): Socket
}
declare const process: { env: Record<string, string | undefined>; pid: number }
declare module 'node:http' {
  interface Answer {
    setHeader(name: string, value: string): this
    writeHead(status: number): this
    end(body?: string | Uint8Array): this
  }
  export interface Server {
    listen(port: number, host: string, call: () => void): void
    address(): { port: number }
    close(): void
  }
  export function createServer(answer: (request: { url?: string }, response: Answer) => void): Server
}
