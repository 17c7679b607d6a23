// The rules of `control.rules`: names that people block and allow, for which clients, and until
// when.
//
// A book has at most kMostRules. A rule with the same name, reach, clients, group and list replaces
// the earlier one. No I/O.
//
// The file has ends in seconds since 1970, because rules survive restarts. A process counts the
// time
// that is left by CLOCK_BOOTTIME, which cannot be set. Ends from a file are in force by either
// clock:
// the clock may have been wrong when they were read.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/sources/clients/client_groups.h"
#include "dataplane/answer/name_rules.h"
#include "matchers/name_matcher.h"
#include "matchers/result.h"

namespace steer::blocking {

struct RuleTime {
    std::int64_t wall_s = 0;  // since 1970
    std::int64_t boot_s = 0;  // of CLOCK_BOOTTIME
};

struct Rule {
    std::uint32_t number = 0;  // from 1
    bool allows = false;
    bool is_exact = false;  // false: with all names below
    bool suspends = false;  // a pause that ends legal lists
    std::string name;       // presentation form, without the last dot; ".": every name
    std::string clients;    // an address, a prefix or a MAC address; empty: `group` or everyone
    std::string group;      // a group of devices; empty: `clients` or everyone
    std::string plugin,
        list;  // of a pause: the tag of an adlist or rpz, and one of its lists; or empty
    std::int64_t until_s = 0;       // since 1970; 0: it does not expire
    std::int64_t boot_until_s = 0;  // of CLOCK_BOOTTIME; not in the file
    bool is_of_file = false;        // it was read at the start
    std::int64_t made_s = 0;
    std::string note, who;  // who: that added it
    std::string box;        // of a fleet, where it was added; empty: here

    [[nodiscard]] bool is_pause() const { return name == "."; }
    [[nodiscard]] bool is_for_everyone() const { return clients.empty() && group.empty(); }
    [[nodiscard]] bool has_expired(const RuleTime& now) const {
        return until_s != 0 &&
               (boot_until_s <= now.boot_s || (is_of_file && until_s <= now.wall_s));
    }
    bool operator==(const Rule&) const = default;
};

class RuleBook {
  public:
    static constexpr std::size_t kMostRules = 20'000, kMostNote = 200;

    // Checks the name, the clients and the note, and puts name and clients into their usual form.
    // Does not check whether there is such a group.
    static Result<Rule> checked(Rule rule);

    // Error: it is full. The rule's number is set. `replaced`: the earlier rule is added to it.
    Result<Rule> put(Rule rule, std::vector<Rule>& replaced);
    // The same for a rule of another box: it takes the place and the number of the earlier one.
    Result<Rule> put_in_place(Rule rule, std::vector<Rule>& replaced);
    // The removed rules: that with the number, or all for this name, without suspensions, and these
    // clients (in their usual form; no value: of all clients) or this group.
    std::vector<Rule> remove(std::uint32_t number);
    std::vector<Rule> remove(const std::set<std::uint32_t>& numbers);
    std::vector<Rule> remove(std::string_view name, const std::optional<std::string>& clients,
                             const std::optional<std::string>& group = std::nullopt);
    std::vector<Rule> remove_expired(const RuleTime& now);
    // Sets the ends of rules of a file by CLOCK_BOOTTIME, and of the others since 1970: what is
    // left of them stays the same when the clock is set.
    void set_ends(const RuleTime& now);

    [[nodiscard]] const std::vector<Rule>& rules() const { return rules_; }
    // The rule with this shared_key(), no suspension. nullptr: there is none.
    [[nodiscard]] const Rule* find(const std::string& key) const;

    // The text of the file. read(): rules that cannot be read are left out and counted.
    [[nodiscard]] std::string text() const;
    static RuleBook read(const boost::json::object& file, std::size_t& left_out);

  private:
    template <class Which>
    std::vector<Rule> take_out(const Which& which);
    [[nodiscard]] std::vector<Rule>::const_iterator at(const std::string& identity) const;
    void index();

    std::vector<Rule> rules_;                                 // in the order of their numbers
    std::unordered_map<std::string, std::uint32_t> numbers_;  // by what makes rules the same
    std::uint32_t last_number_ = 0;
};

// The lower-cased wire form of a name that a person writes.
std::optional<std::vector<std::uint8_t>> wire_name(std::string_view name);
// Those that match a name, pauses among them. `name`: wire form.
std::vector<Rule> rules_about(const RuleBook& book, std::span<const std::uint8_t> name);
// For workers. No value: the rule is for a group that does not exist.
std::optional<NameRules::Named> table_rule(const Rule& rule, const clients::GroupBook& groups);
std::vector<NameRules::Named> table_rules(const RuleBook& book, const clients::GroupBook& groups);
// The names of a rule that caches may hold answers for; no value: every name.
std::optional<matchers::Rule> names_of(const Rule& rule);
// As lines of an AdGuard list, with notes as comments. Rules for some clients have $client; those
// for a group have its members.
std::string adguard_text(const RuleBook& book, const clients::GroupBook& groups);
boost::json::object to_json(const Rule& rule);

// For the boxes of a fleet (control/api/rpc/shared_entries.h): the same rule has the same key on
// all
// boxes. `ahead_s`: how far the fleet's clock is ahead; ends in values are of that clock.
std::string shared_key(const Rule& rule);
std::string shared_value(const Rule& rule, std::int64_t ahead_s);
// Error: it cannot be read, or is not the rule of that key. The number is to be set.
Result<Rule> rule_of_shared(std::string_view key, std::string_view value, std::int64_t ahead_s);
// The name in a key.
std::string name_of_shared(std::string_view key);

}  // namespace steer::blocking
