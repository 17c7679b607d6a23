// A worker's resources for running programs: its services and its memory of names. One per worker;
// no heap after construction.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/note.h"
#include "dataplane/base/ring.h"
#include "dataplane/cache/cache.h"
#include "dataplane/cache/cache_writer.h"
#include "dataplane/policy/name_memo.h"
#include "dataplane/policy/preferred_names.h"
#include "dataplane/policy/query_context.h"

namespace steer {

struct WorkerContext {
    unsigned number;
    const cache::Cache* cache;  // nullptr: none
    const cache::KeyHasher& hasher;
    BufferPools& buffers;
    CacheWriter& cache_writer;
    Ring<Note>* notes;  // nullptr: none
    Counters& counters;
    std::uint64_t random;  // state of next_random(); not 0
    NameMemo memo{};
    PreferredNames preferred{};
    Note note_room{};  // the note being filled

    // The sets of the query's present name.
    [[nodiscard]] const matchers::TagBits& tags_of(QueryContext& c, Now now) noexcept;
    // The ids of the names' sets; 0 if they have no id: then they are in `without_id`. At most
    // matchers::kMaxNames names.
    void tag_sets_of(const Snapshot& snapshot, std::span<const matchers::WireName> names,
                     std::span<std::uint32_t> ids,
                     std::span<matchers::TagBits> without_id) noexcept;
    std::uint32_t tag_set_of(const Snapshot& snapshot, matchers::WireName name,
                             matchers::TagBits& without_id) noexcept;
    void match_name(QueryContext& c) noexcept;
    // Adds the sets that the name has inherited.
    void add_inherited(const Snapshot& snapshot, std::span<const std::uint8_t> name, Now now,
                       matchers::TagBits& sets) noexcept;
    // Lets the names that the outgoing response points to inherit the sets of the query's name.
    void pass_on(QueryContext& c, Now now) noexcept;

    std::uint32_t next_random() noexcept;
    // Whether there is room for a note that clients cause in bulk: a learned name, or a match of a
    // policy zone. The other half of the ring is for debug_print and query_summary. Needs `notes`.
    [[nodiscard]] bool has_room_for_bulk_notes() const noexcept {
        return notes->room() > notes->capacity() / 2;
    }
    // Reports the query to control, with or without its response.
    void note(QueryContext& c, NoteKind kind, std::uint32_t text, Now now) noexcept;

  private:
    void add_inherited(QueryContext& c, Now now) noexcept;
};

}  // namespace steer
