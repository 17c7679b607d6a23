// Which addresses of lists clients are told under names that the lists were not claimed for (CDNs), and by how many
// names lately. What workers find comes in (dataplane/event/shared_watch.h); out come whether an address is
// shared, until when, and what the operator is shown.
//
// A name counts whole for kWholeS after it was last told the address, half for as long again, a quarter for once more. An
// address is shared from `above` such names on, until there are less than half as many. That end is known as soon as it
// begins, and only put off by what comes later: nothing has to look at the clock.
//
// Bounded: kMostAddresses, kMostNames of each (more of them take the oldest's place), two of them as text: at most 3 MB.
// Without a thread and a clock of its own; all calls from one thread.
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
    static constexpr std::size_t kMostAddresses = 4096;
    static constexpr std::size_t kMostNames = 16;

    // What became of an address: it is shared until then (0: it is not), and was not before.
    struct Verdict {
        std::uint32_t until_s = 0;
        bool is_new = false;
    };
    // A name was told an address that the list holds, or does without. `above`: 1..kMostNames. An address for which there is no
    // room is not counted.
    Verdict told(ListId list, const IpAddress& address, std::string_view name, unsigned above,
                 std::uint32_t now_s);

    // What no name counts for any more is forgotten; `gone` is called with each.
    void forget_old(std::uint32_t now_s,
                    const std::function<void(ListId, const IpAddress&)>& gone = {});

    struct Shown {
        ListId list = 0;
        IpAddress address;
        double names = 0;  // in quarters
        bool shared = false;
        std::vector<std::string> examples;  // of the names, the last two
    };
    // All that are told under other names, those with most of them first.
    [[nodiscard]] std::vector<Shown> show(std::uint32_t now_s) const;
    // How many are shared, of all lists or one.
    [[nodiscard]] std::size_t shared(std::uint32_t now_s, std::optional<ListId> list = {}) const;
    [[nodiscard]] std::size_t size() const { return addresses_.size(); }

  private:
    struct Name {
        std::uint64_t hash = 0;
        std::uint32_t told_s = 0;
    };
    struct Told {
        std::array<Name, kMostNames> names;
        std::size_t count = 0;
        std::array<std::string, 2> examples;  // the last first
        std::uint32_t shared_until_s = 0;
    };
    struct Key {
        ListId list;
        std::array<std::uint8_t, 16> address;
        auto operator<=>(const Key&) const = default;
    };
    static void note_name(Told& told, std::string_view name, std::uint32_t now_s);
    [[nodiscard]] static unsigned quarters(const Told& told, std::uint32_t at_s);
    [[nodiscard]] static std::uint32_t end_of(const Told& told, unsigned least_quarters,
                                              std::uint32_t now_s);

    std::map<Key, Told> addresses_;
};

}  // namespace steer
