// Finds guarded caches. Their hits need lists that do not follow from the cache's key.
//
// An entry remembers the lists that its answer was claimed for inside the cache's wrap, and a hit
// claims them again. A list there may depend on a test of the client, of chance, of a rate or of
// the time. Or it depends on a mark or response that such a test decided. Then these are the lists
// of the first query. So the entrance of such a cache is guarded: a hit there runs the wrapped part
// again for its own client (HitWalk), and is never plain.
//
// The program's entry is such a test as well. If two entries share a cache, a hit would have the
// lists of the entry that stored it. A mark that is set before a fallback's unit also belongs to
// the entry. The same holds for a cache in the unit of a `probe_executor`: its queries fill that
// cache outside the path of the name's own queries.
//
// A cache that wraps an `rpz` is policed. Its hits run the wrapped part with the cached answer in
// place of an upstream's, so that zones decide by client and answer each time. Such hits are never
// plain.
//
// The method is control dependence over the program, which has only forward jumps. A list depends
// on a test if it is between the test and the join of its branches (Ferrante, Ottenstein, Warren
// 1987). If one side of a test reaches no cache (an access list in front), the test decides which
// clients are served, not what is claimed. In doubt a cache is guarded.
#pragma once

#include <cstddef>
#include <vector>

namespace steer {

struct Fallback;
struct Instruction;
struct Snapshot;

// Sets Instruction::guarded, Instruction::policed, Snapshot::watched_inside and Fallback::lists. A
// part of equip(), before mark_prefix(). Uses the heap.
void mark_guards(Snapshot& snapshot);

// These functions explain a program as the search for guards sees it. They use the heap.
//
// The successors of an instruction if no cache has an answer. The program's size stands for the
// common end.
std::vector<std::size_t> successors_of(const Snapshot& snapshot, std::size_t pc);
// By pc: all instructions that a fallback may run, including nested fallbacks.
std::vector<bool> run_by_fallback(const Snapshot& snapshot, const Fallback& fallback);
// Whether the test may have different outcomes for the same name and type: by client, chance, rate
// or time.
bool depends_on_query(const Snapshot& snapshot, const Instruction& i);

}  // namespace steer
