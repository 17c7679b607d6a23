#include "control/sources/blocking/rule_book.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <functional>
#include <set>
#include <utility>

#include "control/api/rpc/peer.h"
#include "control/config/text/dns_names.h"
#include "control/host/process/state_file.h"
#include "control/sources/clients/client_names.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"
#include "matchers/prefix/mac_address.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"

namespace steer::blocking {
namespace {

namespace json = boost::json;

std::string bytes_of(const std::vector<std::uint8_t>& wire) {
    return {wire.begin(), wire.end()};
}

// Rules with the same one replace each other.
std::string identity_of(const Rule& rule) {
    return (rule.suspends ? "s" : "r") + shared_key(rule);
}

// Whether it is a name in AdGuard's syntax, too, where '*', '/', '|' and others have a meaning.
bool is_plain(std::string_view name) {
    return std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    });
}

std::optional<std::int64_t> number_at(const json::object& from, std::string_view key) {
    const json::value* const found = from.if_contains(key);
    if (found == nullptr) return 0;
    boost::system::error_code error;
    const auto number = found->to_number<std::int64_t>(error);
    return error || number < 0 ? std::nullopt : std::optional(number);
}

std::optional<Rule> rule_of(const json::object& from) {
    Rule rule;
    const auto number = number_at(from, "number"), until = number_at(from, "until_s"),
               made = number_at(from, "made_s");
    if (!number || !until || !made || *number == 0 || *number > UINT32_MAX) return std::nullopt;
    const std::string_view does = text_at(from, "does");
    if (does != "allow" && does != "block") return std::nullopt;
    rule.allows = does == "allow";
    rule.is_exact = is_true_at(from, "exact");
    rule.suspends = is_true_at(from, "suspends");
    rule.name = text_at(from, "name");
    rule.clients = text_at(from, "clients");
    rule.group = text_at(from, "group");
    rule.plugin = text_at(from, "plugin");
    rule.list = text_at(from, "list");
    rule.note = text_at(from, "note");
    rule.who = safe_text(ops::without_process(text_at(from, "who")));
    rule.box = safe_text(text_at(from, "box"));
    rule.until_s = *until;
    rule.made_s = *made;
    auto good = RuleBook::checked(std::move(rule));
    if (!good) return std::nullopt;
    good->number = static_cast<std::uint32_t>(*number);
    return *std::move(good);
}

}  // namespace

std::optional<std::vector<std::uint8_t>> wire_name(std::string_view name) {
    auto wire = config::asked_name(name);
    if (wire) dns::lower_case(wire->data(), wire->data(), wire->size());
    return wire;
}

Result<Rule> RuleBook::checked(Rule rule) {
    if (rule.name.find("://") != rule.name.npos || rule.name.find_first_of(" \t") != rule.name.npos)
        return Error{matchers::quoted(rule.name) +
                     " is not a name: write the name alone, as in www.example.com"};
    if (rule.name.starts_with("*."))
        return Error{matchers::quoted(rule.name) + " is no name: write " + rule.name.substr(2) +
                     ", all names below it are meant"};
    const auto wire = wire_name(rule.name);
    if (!wire)
        return Error{"expected a name such as ads.example, found " + matchers::quoted(rule.name)};
    rule.name = dns::name_to_text(*wire);
    if (rule.name.size() > 1 && rule.name.ends_with('.')) rule.name.pop_back();
    if (!rule.clients.empty() && !rule.group.empty())
        return Error{"a rule is for clients or for a group: write one of them"};
    if (!rule.group.empty()) {
        auto group = clients::checked_name(rule.group);
        if (!group) return group.error();
        rule.group = *std::move(group);
    }
    if (!rule.clients.empty()) {
        auto clients = clients::member_of(rule.clients);
        if (!clients) return clients.error();
        rule.clients = *std::move(clients);
    }
    if (rule.note.size() > kMostNote || !is_safe_text(rule.note, kMostNote))
        return Error{"expected a note of at most " + std::to_string(kMostNote) +
                     " bytes in UTF-8, without control characters"};
    if (rule.name == "." && !rule.allows)
        return Error{"expected a name below the root: write the name to block"};
    return rule;
}

// ---- the book

template <class Which>
std::vector<Rule> RuleBook::take_out(const Which& which) {
    std::vector<Rule> out;
    std::ranges::copy_if(rules_, std::back_inserter(out), which);
    if (out.empty()) return out;
    std::erase_if(rules_, which);
    for (const Rule& rule : out)
        numbers_.erase(identity_of(rule));
    return out;
}

std::vector<Rule>::const_iterator RuleBook::at(const std::string& identity) const {
    const auto number = numbers_.find(identity);
    return number == numbers_.end()
               ? rules_.end()
               : std::ranges::lower_bound(rules_, number->second, {}, &Rule::number);
}

const Rule* RuleBook::find(const std::string& key) const {
    const auto found = at("r" + key);
    return found == rules_.end() ? nullptr : &*found;
}

void RuleBook::index() {
    numbers_.clear();
    for (const Rule& rule : rules_)
        numbers_[identity_of(rule)] = rule.number;
}

Result<Rule> RuleBook::put(Rule rule, std::vector<Rule>& replaced) {
    const std::string identity = identity_of(rule);
    const auto same = at(identity);
    if (same == rules_.end() && rules_.size() >= kMostRules)
        return Error{"there are " + std::to_string(kMostRules) +
                     " rules already: remove some, or put the names into a list of an adlist"};
    if (same != rules_.end()) {
        replaced.push_back(*same);
        rules_.erase(same);
    }
    if (last_number_ == UINT32_MAX) {
        last_number_ = 0;
        for (Rule& kept : rules_)
            kept.number = ++last_number_;
        index();
    }
    rule.number = ++last_number_;
    numbers_[identity] = rule.number;
    rules_.push_back(rule);
    return rule;
}

Result<Rule> RuleBook::put_in_place(Rule rule, std::vector<Rule>& replaced) {
    const auto same = at(identity_of(rule));
    if (same == rules_.end()) return put(std::move(rule), replaced);
    rule.number = same->number;
    replaced.push_back(*same);
    rules_[static_cast<std::size_t>(same - rules_.begin())] = rule;
    return rule;
}

std::vector<Rule> RuleBook::remove(std::uint32_t number) {
    return take_out([number](const Rule& rule) { return rule.number == number; });
}

std::vector<Rule> RuleBook::remove(const std::set<std::uint32_t>& numbers) {
    return take_out([&numbers](const Rule& rule) { return numbers.contains(rule.number); });
}

std::vector<Rule> RuleBook::remove(std::string_view name, const std::optional<std::string>& clients,
                                   const std::optional<std::string>& group) {
    return take_out([&](const Rule& rule) {
        return rule.name == name && !rule.suspends &&
               (!clients || (rule.clients == *clients && rule.group.empty())) &&
               (!group || rule.group == *group);
    });
}

std::vector<Rule> RuleBook::remove_expired(const RuleTime& now) {
    return take_out([&now](const Rule& rule) { return rule.has_expired(now); });
}

void RuleBook::set_ends(const RuleTime& now) {
    for (Rule& rule : rules_) {
        if (rule.until_s == 0) continue;
        if (!rule.is_of_file)
            rule.until_s = now.wall_s + (rule.boot_until_s - now.boot_s);
        else if (rule.boot_until_s == 0)
            rule.boot_until_s = now.boot_s + (rule.until_s - now.wall_s);
    }
}

std::string RuleBook::text() const {
    json::array rules;
    for (const Rule& rule : rules_)
        rules.push_back(to_json(rule));
    return json::serialize(
               json::object{{"last_number", last_number_}, {"rules", std::move(rules)}}) +
           "\n";
}

RuleBook RuleBook::read(const json::object& file, std::size_t& left_out) {
    RuleBook book;
    left_out = 0;
    if (const auto last = number_at(file, "last_number"); last && *last <= UINT32_MAX)
        book.last_number_ = static_cast<std::uint32_t>(*last);
    const json::value* const rules = file.if_contains("rules");
    if (rules == nullptr) return book;
    if (!rules->is_array()) {
        left_out = 1;
        return book;
    }
    for (const json::value& one : rules->get_array()) {
        auto rule = one.is_object() ? rule_of(one.get_object()) : std::nullopt;
        if (!rule || book.rules_.size() >= kMostRules) {
            ++left_out;
            continue;
        }
        book.last_number_ = std::max(book.last_number_, rule->number);
        rule->is_of_file = true;
        book.rules_.push_back(*std::move(rule));
    }
    std::ranges::sort(book.rules_, {}, &Rule::number);
    book.index();
    return book;
}

std::vector<Rule> rules_about(const RuleBook& book, std::span<const std::uint8_t> name) {
    std::set<std::string, std::less<>> above;
    for (std::size_t at = 0; at < name.size() && name[at] != 0; at += name[at] + 1U)
        above.insert(dns::name_to_text(name.subspan(at)));
    const std::string whole = dns::name_to_text(name);
    std::vector<Rule> out;
    for (const Rule& rule : book.rules()) {
        if (rule.is_exact ? rule.name == whole : rule.is_pause() || above.contains(rule.name))
            out.push_back(rule);
    }
    return out;
}

std::optional<NameRules::Named> table_rule(const Rule& rule, const clients::GroupBook& groups) {
    const auto wire = wire_name(rule.name);
    if (!wire) return std::nullopt;
    NameRule made{.number = rule.number, .allows = rule.allows, .is_exact = rule.is_exact};
    if (rule.until_s != 0)
        made.until_s = static_cast<std::uint32_t>(
            std::clamp<std::int64_t>(rule.boot_until_s, 0, std::int64_t{UINT32_MAX} - 1));
    made.suspends = rule.suspends;
    if (!rule.plugin.empty()) made.list = list_id(rule.plugin, rule.list);
    if (!rule.group.empty()) {
        made.audience = NameRule::Audience::group;
        made.group = groups.devices(rule.group);
        if (made.group == nullptr) return std::nullopt;
    } else if (const auto mac = parse_mac(rule.clients)) {
        made.audience = NameRule::Audience::device;
        made.mac = *mac;
    } else if (const auto prefix = matchers::Prefix::parse(rule.clients);
               !rule.clients.empty() && prefix) {
        made.audience =
            prefix->length == 128 ? NameRule::Audience::device : NameRule::Audience::prefix;
        made.clients = *prefix;
    }
    made.may_be_cached = made.audience == NameRule::Audience::everyone && !rule.is_pause();
    return NameRules::Named{bytes_of(*wire), made};
}

std::vector<NameRules::Named> table_rules(const RuleBook& book, const clients::GroupBook& groups) {
    std::vector<NameRules::Named> out;
    for (const Rule& rule : book.rules()) {
        if (auto one = table_rule(rule, groups)) out.push_back(*std::move(one));
    }
    return out;
}

std::optional<matchers::Rule> names_of(const Rule& rule) {
    if (rule.is_pause()) return std::nullopt;
    return matchers::Rule{rule.is_exact ? matchers::RuleKind::full : matchers::RuleKind::domain,
                          rule.name};
}

std::string adguard_text(const RuleBook& book, const clients::GroupBook& groups) {
    std::string out = "! Rules of SteerDNS\n";
    for (const Rule& rule : book.rules()) {
        if (rule.is_pause() || !rule.plugin.empty()) continue;  // no list can say them
        if (rule.until_s != 0 || !is_plain(rule.name)) {
            out += "! left out: " + rule.name + (rule.until_s != 0 ? ", for a time" : "") + "\n";
            continue;
        }
        std::string clients = rule.clients.empty() ? "" : "'" + rule.clients + "'";
        if (!rule.group.empty()) {
            if (groups.is_of_file(rule.group)) {
                out +=
                    "! left out: " + rule.name + ", for the group " + rule.group + " of a file\n";
                continue;
            }
            const auto at = groups.groups().find(rule.group);
            if (at == groups.groups().end() || at->second.empty()) continue;  // for no device
            for (const auto& [member, origin] : at->second)
                clients += (clients.empty() ? "'" : "|'") + member + "'";
        }
        if (!rule.note.empty()) out += "! " + rule.note + "\n";
        out += rule.allows ? "@@" : "";
        out += rule.is_exact ? "|" : "||";
        out += rule.name + "^";
        if (!clients.empty()) out += "$client=" + clients;
        out += '\n';
    }
    return out;
}

json::object to_json(const Rule& rule) {
    json::object out{{"number", rule.number},   {"does", rule.allows ? "allow" : "block"},
                     {"name", rule.name},       {"exact", rule.is_exact},
                     {"clients", rule.clients}, {"until_s", rule.until_s},
                     {"made_s", rule.made_s},   {"note", rule.note},
                     {"who", rule.who}};
    if (!rule.group.empty()) out["group"] = rule.group;
    if (!rule.plugin.empty()) out["plugin"] = rule.plugin;
    if (!rule.list.empty()) out["list"] = rule.list;
    if (rule.suspends) out["suspends"] = true;
    if (!rule.box.empty()) out["box"] = rule.box;
    return out;
}

std::string shared_key(const Rule& rule) {
    return json::serialize(
        json::array{rule.name, rule.is_exact, rule.clients, rule.group, rule.plugin, rule.list});
}

// Numbers differ between boxes, and each knows by itself which box a rule is of.
std::string shared_value(const Rule& rule, std::int64_t ahead_s) {
    json::object out = to_json(rule);
    if (rule.until_s != 0) out["until_s"] = rule.until_s + ahead_s;
    out.erase("number");
    out.erase("box");
    return json::serialize(out);
}

std::string name_of_shared(std::string_view key) {
    boost::system::error_code error;
    const json::value parsed = json::parse(key, error);
    const json::array* const parts = error ? nullptr : parsed.if_array();
    if (parts == nullptr || parts->empty() || !(*parts)[0].is_string()) return safe_text(key);
    return safe_text(std::string_view((*parts)[0].get_string()));
}

Result<Rule> rule_of_shared(std::string_view key, std::string_view value, std::int64_t ahead_s) {
    boost::system::error_code error;
    json::value parsed = json::parse(value, error);
    if (error || !parsed.is_object()) return Error{"a rule of this version has another form"};
    parsed.get_object()["number"] = 1;
    auto rule = rule_of(parsed.get_object());
    if (!rule) return Error{"a rule of this version has another form"};
    if (rule->suspends) return Error{"a legal list is suspended on each box by its admin"};
    if (shared_key(*rule) != key) return Error{"its key is that of another rule"};
    if (rule->until_s != 0) rule->until_s -= ahead_s;
    return *std::move(rule);
}

}  // namespace steer::blocking
