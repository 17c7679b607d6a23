// Which caches are guarded: those in which a hit's lists are not a function of what the cache's key has.
//
// An entry remembers the lists that its answer was claimed for inside the cache's wrap, and a hit claims them again. But
// if there a list is reached by a test of the client, of chance or of a rate (or of a mark or a response that such a
// test decided), they are the lists of who asked first. An entrance of a cache is guarded if that can be; then a hit
// there walks the wrapped rest once more for its own client (HitWalk), and is never plain.
//
// The entry by which a query came is such a test as well: of the same cache behind two of them, a hit's lists are those of
// the entry that stored it. And a mark set in front of a fallback's unit is one of the entry, too.
//
// A cache that wraps an `rpz` is policed: its hits run the wrapped rest with the kept answer in place of what upstreams say,
// so that zones decide by the client and by the answer each time, and never are plain.
//
// Found by control dependence over the program, whose targets lie ahead: a list depends on a test if it stands on a way
// from the test to where all ways from it meet again (Ferrante, Ottenstein, Warren 1987). A test one side of which comes
// to no cache (an access list in front) decides who comes, not what is claimed. Errs on the side of guarding.
#pragma once

namespace steer {

struct Snapshot;

// Sets Instruction::guarded, Instruction::policed and Fallback::lists. Part of equip(), before mark_prefix(). Uses the heap.
void mark_guards(Snapshot& snapshot);

}  // namespace steer
