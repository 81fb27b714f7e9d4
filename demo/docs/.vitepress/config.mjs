// The manual as a site below the demo page, at /docs/: `make docs` builds it, demo/serve.mjs serves it.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'

const source = 'https://github.com/atomicdb-go/atomicdb/blob/main/'
const titleOf = (path) => /^# `?(.*?)`?$/m.exec(readFileSync(fileURLToPath(new URL(`../${path}.md`, import.meta.url)), 'utf8'))[1]
const items = (folder, names) => names.map((name) => ({ text: titleOf(`${folder}/${name}`), link: `/${folder}/${name}` }))
const api = fileURLToPath(new URL('../api/typedoc-sidebar.json', import.meta.url))

export default defineConfig({
  title: 'AtomicDB',
  description: 'A document database inside your page: MongoDB filters, SQL and transactions, safe across tabs.',
  base: '/docs/',
  outDir: '../dist/docs',
  cleanUrls: false, // any server of files can serve it
  lastUpdated: false,
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  vite: { build: { chunkSizeWarningLimit: 2_000 } }, // the reference of the API is in the index of the search
  srcExclude: ['node_modules/**'],
  markdown: {
    config(markdown) {
      // A link to a file of the project leads to where its source is.
      const render = markdown.renderer.rules.link_open ?? ((tokens, index, options, env, self) => self.renderToken(tokens, index, options))
      markdown.core.ruler.push('links-to-source', ({ tokens, env }) => {
        const up = env.relativePath.split('/').length + 1
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          const href = token.type === 'link_open' && token.attrGet('href')
          if (!href) continue
          const outside = '../'.repeat(up)
          if (href.startsWith(outside)) {
            token.attrSet('href', source + href.slice(outside.length))
            token.attrSet('target', '_blank')
            token.attrSet('rel', 'noreferrer')
          }
        }
      })
      markdown.renderer.rules.link_open = render
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Demo', link: '../', target: '_self' },
      { text: 'API', link: '/api/' },
      { text: 'Errors', link: '/errors/' },
    ],
    socialLinks: [{ icon: 'github', link: 'https://github.com/atomicdb-go/atomicdb' }],
    sidebar: [
      { text: 'Begin', items: [{ text: 'The manual', link: '/' }, ...items('guide', ['start', 'documents', 'queries', 'sql', 'indexes'])] },
      { text: 'Data', items: items('guide', ['schema', 'relationships', 'metadata', 'types', 'migrations']) },
      { text: 'What changes', items: items('guide', ['live', 'react', 'frameworks', 'changes', 'transactions']) },
      { text: 'Storage', items: items('guide', ['storage', 'command-line', 'reliability', 'encryption', 'tabs']) },
      { text: 'Hosts', items: items('guide', ['bundlers', 'cloudflare', 'go', 'testing', 'performance', 'limits']) },
      { text: 'Recipes', collapsed: true, items: items('recipes', ['pagination', 'search-box', 'import', 'backup', 'undo']) },
      { text: 'Coming from', collapsed: true, items: items('from', ['python', 'dexie', 'rxdb', 'pouchdb', 'lokijs', 'nedb', 'localforage', 'sqlite']).map((item) => ({ ...item, text: item.text.replace('Coming from ', '') })) },
      { text: 'Errors', collapsed: true, items: [{ text: 'All', link: '/errors/' }, ...items('errors', ['invalid', 'duplicate_id', 'unique', 'not_found', 'conflict', 'quota', 'storage', 'corrupt', 'timeout', 'closed', 'unsupported', 'internal', 'decrypt', 'schema', 'relationship'])] },
      { text: 'API', collapsed: true, items: existsSync(api) ? JSON.parse(readFileSync(api, 'utf8')) : [{ text: 'All', link: '/api/' }] },
    ],
  },
})
