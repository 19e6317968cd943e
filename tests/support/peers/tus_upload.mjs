// Uploads one file with tus-js-client as it comes from npm, and tells each request on standard output.
//
//   node tus_upload.mjs FOLDER-OF-node_modules < {"endpoint", "file", "metadata", "storage",
//     and if wanted "chunkSize", "dieAt"}
//
// Lines: {"request": "PATCH", "offset": 0, "status": 204, "told": 8388608}, then {"done": true} or
// {"failed": "…"}. An upload that an earlier run left in `storage` is gone on with.
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(join(process.argv[2], 'from-here.cjs'))
const tus = require('tus-js-client')
const wanted = JSON.parse(readFileSync(0, 'utf8'))
const tell = (row) => process.stdout.write(JSON.stringify(row) + '\n')

const upload = new tus.Upload(createReadStream(wanted.file), {
  endpoint: wanted.endpoint,
  uploadSize: statSync(wanted.file).size,
  metadata: wanted.metadata,
  chunkSize: wanted.chunkSize ?? Infinity,
  retryDelays: [100, 200, 400, 800, 1600, 3200],
  fingerprint: async () => `tests-${wanted.file}`,
  urlStorage: new tus.FileUrlStorage(wanted.storage),
  onProgress: (sent) => {
    if (wanted.dieAt !== undefined && sent >= wanted.dieAt) process.kill(process.pid, 'SIGKILL')
  },
  onAfterResponse: (request, response) => {
    const number = (text) => (text === undefined || text === null ? null : Number(text))
    tell({
      request: request.getMethod(),
      offset: number(request.getHeader('Upload-Offset')),
      status: response.getStatus(),
      told: number(response.getHeader('Upload-Offset')),
    })
  },
  onSuccess: () => tell({ done: true }),
  onError: (error) => {
    tell({ failed: String(error) })
    process.exitCode = 1
  },
})

const previous = await upload.findPreviousUploads()
if (previous.length > 0) upload.resumeFromPreviousUpload(previous[0])
upload.start()
