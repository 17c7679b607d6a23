// Tracks which addresses of lists clients also get for names outside the lists (CDNs), and for how
// many such names recently. Input: the workers' findings (dataplane/event/shared_watch.h). Output:
// whether an address is shared, until when, and a report for the operator.
//
// A name counts fully for kWholeS after it was last seen with the address, half for the same time
// again, then a quarter. An address becomes shared with `above` such names, and stays so until
// there are fewer than half of them. The end is known immediately. Later names can only delay it,
// so no timer is needed.
//
// Bounded: kMaxAddresses, kMaxNames for each (a further one replaces the oldest), two of them as
// text: at most 3 MB. No thread and no clock; all calls from one thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/list_state.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

class SharedAddresses {
  public:
    static constexpr std::uint32_t kWholeS = 600;
    static constexpr std::size_t kMaxAddresses = 4096;
    static constexpr std::size_t kMaxNames = 16;

    // The verdict about an address: shared until then (0: not shared), and whether this is new.
    struct Verdict {
        std::uint32_t until_s = 0;
        bool is_new = false;
    };
    // A client got an address that the list has, or skips, for this name. `above`: 1..kMaxNames. If
    // the table is full, the address is not counted.
    Verdict record(ListId list, const IpAddress& address, std::string_view name, unsigned above,
                   std::uint32_t now_s);

    // Removes addresses without counted names; calls `gone` with each.
    void forget_old(std::uint32_t now_s,
                    const std::function<void(ListId, const IpAddress&)>& gone = {});

    struct Shown {
        ListId list = 0;
        IpAddress address;
        double names = 0;  // in quarters
        bool shared = false;
        std::vector<std::string> examples;  // last two of the names
    };
    // All addresses with other names; those with most names first.
    [[nodiscard]] std::vector<Shown> show(std::uint32_t now_s) const;
    // The number of shared addresses, of all lists or one.
    [[nodiscard]] std::size_t shared(std::uint32_t now_s, std::optional<ListId> list = {}) const;
    [[nodiscard]] std::size_t size() const { return addresses_.size(); }

  private:
    struct Name {
        std::uint64_t hash = 0;
        std::uint32_t seen_s = 0;
    };
    struct Entry {
        std::array<Name, kMaxNames> names;
        std::size_t count = 0;
        std::array<std::string, 2> examples;  // newest first
        std::uint32_t shared_until_s = 0;
    };
    struct Key {
        ListId list;
        std::array<std::uint8_t, 16> address;
        auto operator<=>(const Key&) const = default;
    };
    static void note_name(Entry& entry, std::string_view name, std::uint32_t now_s);
    [[nodiscard]] static unsigned quarters(const Entry& entry, std::uint32_t at_s);
    [[nodiscard]] static std::uint32_t end_of(const Entry& entry, unsigned least_quarters,
                                              std::uint32_t now_s);

    std::map<Key, Entry> addresses_;
};

}  // namespace steer
