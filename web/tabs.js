// What a first visitor finds, a tab each: { query, variables, headers }, the last two optional.
// A tab is named after its operation. GraphiQL keeps what people change in their own browser.

const degradedClusters = `# Which clusters need attention?
#
# All fields of a filter must match; "or" lists
# alternatives. Here: clusters without quorum, or
# with at least one node offline.
#
# Ctrl-Space completes, Ctrl-Enter runs. The icons
# on the left open documentation and explorer.
query DegradedClusters {
  proxmoxClusters(
    filter: {
      or: [
        { quorate: { eq: false } }
        { proxmoxNodes: { some: { online: { eq: false } } } }
      ]
    }
    orderBy: [{ field: NAME }]
  ) {
    totalCount # all, not only this page
    nodes {
      name
      quorate
      endpoint {
        name # where it was read from
      }
      proxmoxNodes {
        nodes {
          name
          online
        }
      }
    }
  }
}
`;

const nodeUsage = `# How loaded is each cluster?
#
# Every connection can be counted and summarised,
# nested ones too. An aggregate covers all rows that
# match, however many of them a page shows.
#
# $first is a variable: its value is set below.
query NodeUsageByCluster($first: Int) {
  proxmoxClusters(first: $first, orderBy: [{ field: NAME }]) {
    nodes {
      name
      proxmoxNodes {
        totalCount
        aggregate {
          count
          online
          cpuUsagePercent {
            avg
            max
          }
          memoryUsagePercent # of all together
        }
      }
    }
  }
}
`;

export const tabs = [
  { query: degradedClusters },
  { query: nodeUsage, variables: '{\n  "first": 20\n}' },
];
