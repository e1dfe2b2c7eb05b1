/** communityPath is the page of a community, or one about it. */
export const communityPath = (jid: string, page = ''): string => `/communities/${encodeURIComponent(jid)}${page && `/${page}`}`
