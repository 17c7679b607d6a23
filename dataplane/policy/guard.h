// Finds guarded caches: those whose hits need lists that do not follow from the cache's key.
//
// An entry remembers the lists that its answer was claimed for inside the cache's wrap, and a hit claims them again. But
// if a list there depends on a test of the client, of chance, of a rate or of the time (or on a mark or response that such
// a test decided), these are the lists of the first query. The entrance of such a cache is guarded: a hit
// there runs the wrapped part again for its own client (HitWalk), and is never plain.
//
// The entry of the program is such a test as well: if two entries share a cache, a hit's lists would be those of
// the entry that stored it. A mark set before a fallback's unit also belongs to the entry. So does a cache in the unit
// of a `probe_executor`: it fills that cache beside the way of the name's own queries.
//
// A cache that wraps an `rpz` is policed: its hits run the wrapped part with the cached answer in place of an upstream's,
// so that zones decide by client and answer each time. Such hits are never plain.
//
// Found by control dependence over the program, which has only forward jumps: a list depends on a test if it lies
// between the test and the join of its ways (Ferrante, Ottenstein, Warren 1987). If one side of a test reaches no
// cache (an access list in front), the test decides who is served, not what is claimed. In doubt a cache is guarded.
#pragma once

#include <cstddef>
#include <vector>

namespace steer {

struct Fallback;
struct Instruction;
struct Snapshot;

// Sets Instruction::guarded, Instruction::policed, Snapshot::watched_inside and Fallback::lists. Part of equip(), before
// mark_prefix(). Uses the heap.
void mark_guards(Snapshot& snapshot);

// For explanations of a program, as guards are found. They use the heap.
// The successors of an instruction when no cache has an answer; the program's size is the common end.
std::vector<std::size_t> successors_of(const Snapshot& snapshot, std::size_t pc);
// By pc: all instructions that a fallback may run, including nested fallbacks.
std::vector<bool> run_by_fallback(const Snapshot& snapshot, const Fallback& fallback);
// A test whose outcome may differ between queries for the same name and type: by client, chance, rate or time.
bool depends_on_query(const Snapshot& snapshot, const Instruction& i);

}  // namespace steer
