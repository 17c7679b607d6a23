// Rules that people add while the daemon serves: block or allow a name for everyone, for the
// clients of a prefix, for a group of devices, or for a device.
//
// Of the rules that match a question, one decides: the one with the narrower audience, then with
// the longer name, then the exact one, then the one that allows. An expired rule is none.
//
// Control publishes a new table after each change (control/host/process/published.h). Workers load
// the pointer for each burst, and keep none across a quiescent state. A search costs a hash for each
// label of the name. For a name with rules of single clients, it costs one more for each length of
// their prefixes and one for the MAC address, however many clients have one. Rules for everyone and
// for groups are compared one by one. It does not allocate.
#pragma once

#include <atomic>
#include <bitset>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/answer/device_groups.h"
#include "matchers/prefix/prefix_set.h"

namespace steer {

// Identifies a list of an adlist or rpz, or with an empty `list` the plugin. Never 0.
std::uint64_t list_id(std::string_view tag, std::string_view list) noexcept;

struct NameRule {
    // From wide to narrow.
    enum class Audience : std::uint8_t { everyone, prefix, group, device };

    std::uint32_t number = 0;            // identifies it in reports
    std::uint32_t until_s = UINT32_MAX;  // CLOCK_BOOTTIME; UINT32_MAX: it does not expire
    std::uint64_t list = 0;              // list_id() of the only list that it ends; 0: of all
    Audience audience = Audience::everyone;
    bool allows = false;         // false: it blocks
    bool is_exact = false;       // false: with all names below
    bool may_be_cached = false;  // an answer that it allows is the same for all clients
    bool suspends = false;       // ends legal lists; only an admin may add it
    matchers::Prefix clients{};  // of a prefix, or a device with an address
    std::uint64_t mac = 0;       // of a device: matchers/prefix/mac_address.h; 0: by address
    std::shared_ptr<const DeviceGroup> group{};  // of Audience::group

    // `lease`, `frame_mac`: as for mac_of_client().
    [[nodiscard]] bool is_for(const IpAddress& client, const LeaseDevice* lease,
                              std::uint64_t frame_mac) const noexcept;
};

class NameRules {
  public:
    struct Named {
        std::string name;  // lower-cased wire form
        NameRule rule;
    };
    // What a question has that rules ask for.
    struct Question {
        std::span<const std::uint8_t> name;  // lower-cased wire form
        const IpAddress& client;
        const LeaseDevice* lease;  // of the client's address; nullptr: none is known
        std::uint64_t frame_mac;   // 0: not known
        std::uint32_t now_s;
        std::uint64_t plugin = 0, list = 0;  // list_id() of what would block; 0: rules of all lists
        bool is_legal = false;               // of a list that only rules that suspend end
    };

    NameRules() = default;
    // `version`: not 0, and another one for each table.
    NameRules(const std::vector<Named>& rules, std::uint64_t version);

    [[nodiscard]] std::uint64_t version() const noexcept { return version_; }
    [[nodiscard]] bool has_blocks() const noexcept { return has_blocks_; }
    // Whether a rule may block this name for some client.
    [[nodiscard]] bool may_block(std::span<const std::uint8_t> name) const noexcept;
    // The rule that decides; nullptr: none matches.
    [[nodiscard]] const NameRule* find(const Question& question) const noexcept;

  private:
    // Rules side by side in `rules_`.
    struct Range {
        std::uint32_t first = 0, count = 0;
    };
    // The rules of a name.
    struct OfName {
        Range shared{};              // of everyone and of groups
        std::uint32_t number = 0;    // in ClientKey
        std::bitset<129> lengths{};  // of the prefixes of its other rules
        bool has_macs = false;       // some of these are by MAC address
        bool blocks_exactly = false, blocks_below = false;
    };
    // A client among the rules of a name.
    struct ClientKey {
        static constexpr std::uint32_t kMac = 129, kShared = 130;

        std::uint32_t name = 0;
        std::uint32_t length = 0;  // of the prefix, or one of these
        std::uint64_t high = 0, low = 0;
        bool operator==(const ClientKey&) const = default;
        bool operator<(const ClientKey& other) const;
    };
    struct KeyHash {
        std::size_t operator()(const ClientKey& key) const noexcept;
    };
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    static ClientKey key_of(const NameRule& rule, std::uint32_t name);

    boost::unordered_flat_map<std::string, OfName, Hash, std::equal_to<>> names_;
    boost::unordered_flat_map<ClientKey, Range, KeyHash> of_clients_;
    std::vector<NameRule> rules_;
    std::uint64_t version_ = 0;
    bool has_blocks_ = false;
};

struct LiveRules {
    std::atomic<const NameRules*> table{nullptr};  // nullptr before the first publication
};

}  // namespace steer
