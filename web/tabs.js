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
# Beside it are headers: {"Prefer": "cost"} lets the
# answer tell what the query costs.
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

const upsertStorage = `# Write a storage, whether it is there or not.
#
# Absent fields stay as they are, null clears.
# What you can put right comes back in "userErrors",
# with its place in the input; then nothing was done.
# Run it twice: it is created once.
#
# "cluster" is the id of a NetBox cluster; 25 is one
# of the demo's. What you may not change is FORBIDDEN.
mutation UpsertStorage {
  upsertProxmoxStorage(
    input: {
      cluster: 25
      name: "nfs-planned"
      storageType: "nfs"
      content: "images,iso"
      enabled: false
    }
  ) {
    created
    userErrors {
      code
      message
      path
    }
    proxmoxStorage {
      id
      name
      cluster {
        name
      }
      contentTypes
      enabled
      lastUpdated # "ifLastUpdated" of a safe update
      history(first: 5) {
        nodes {
          position # where "changes(after:)" goes on
          at
          actor
          kind
          changed
        }
      }
    }
  }
}
`;

export const tabs = [
  { query: degradedClusters },
  { query: nodeUsage, variables: '{\n  "first": 20\n}' },
  { query: upsertStorage },
];
