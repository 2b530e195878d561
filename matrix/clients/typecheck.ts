import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { packageRoot } from '../root.js'
import { buildOnce } from './build-once.js'
import { cacheFolder } from './paths.js'
import { findTool, runTool } from './tools.js'

/**
 * Checks a driver in JavaScript against the declarations of the package that it drives, also where the package's
 * binary cannot be had: the package is installed without its scripts.
 *
 * @returns the compiler's complaints, empty when there are none
 */
export async function typecheckDriver(driver: string, packageName: string, version: string): Promise<string> {
  const folder = join(cacheFolder(), 'declarations', `${packageName}-${version}`)
  await buildOnce(folder, async (unfinished) => {
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefix', unfinished]
    await runTool(await findTool('npm'), ['install', ...options, `${packageName}@${version}`], {
      cwd: unfinished,
      failure: `npm could not install ${packageName} ${version}`,
      remedy: 'connect to the npm registry',
    })
  })
  const config = {
    compilerOptions: {
      ...{ noEmit: true, allowJs: true, checkJs: true, strict: true, skipLibCheck: true },
      ...{ target: 'es2022', lib: ['es2023'], module: 'nodenext', moduleResolution: 'nodenext' },
      types: ['node'],
      typeRoots: [join(packageRoot, 'node_modules', '@types')],
      paths: { [packageName]: [join(folder, 'node_modules', packageName, 'index.d.ts')] },
    },
    files: [driver],
  }
  const workplace = await mkdtemp(join(tmpdir(), 'kop-conformance-typecheck-'))
  try {
    await writeFile(join(workplace, 'tsconfig.json'), JSON.stringify(config))
    const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc')
    const result = await execa(process.execPath, [compiler, '-p', workplace], { reject: false })
    return result.stdout
  } finally {
    await rm(workplace, { recursive: true, force: true })
  }
}
