#include "control/sources/clients/shared_clients.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "control/host/process/state_file.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"

namespace steer::clients {
namespace {

namespace json = boost::json;

constexpr std::string_view kGroupItself = "{}";

Error other_form() {
    return Error{"this version has another form of it"};
}

std::optional<json::object> object_of(std::string_view text) {
    boost::system::error_code error;
    json::value parsed = json::parse(text, error);
    if (error || !parsed.is_object()) return std::nullopt;
    return std::move(parsed.get_object());
}

MemberOrigin shared_origin(const json::object& from) {
    const json::value* const at = from.if_contains("at");
    constexpr std::int64_t kLast = 253'402'300'799;  // the year 9999
    const std::int64_t at_s = at != nullptr && at->is_int64() ? at->get_int64() : 0;
    return {std::clamp<std::int64_t>(at_s, 0, kLast), safe_text(text_at(from, "who"))};
}

std::string origin_text(const MemberOrigin& origin) {
    return json::serialize(json::object{{"at", origin.at_s}, {"who", origin.who}});
}

std::string name_text(const GivenName& given) {
    return json::serialize(
        json::object{{"name", given.name}, {"at", given.at_s}, {"who", given.who}});
}

struct MemberKey {
    std::string group, member;
    [[nodiscard]] std::string text() const { return json::serialize(json::array{group, member}); }
};

// No value: a group or a member is not in its usual form.
std::optional<MemberKey> member_key(const std::string& key) {
    boost::system::error_code error;
    const json::value parsed = json::parse(key, error);
    const json::array* const both = error ? nullptr : parsed.if_array();
    if (both == nullptr || both->size() != 2 || !(*both)[0].is_string() || !(*both)[1].is_string())
        return std::nullopt;
    MemberKey out{std::string((*both)[0].get_string()), std::string((*both)[1].get_string())};
    const auto group = checked_name(out.group);
    if (!group || *group != out.group || member_of(out.group)) return std::nullopt;
    if (!out.member.empty()) {
        const auto member = member_of(out.member);
        if (!member || *member != out.member) return std::nullopt;
    }
    return out.text() == key ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

// ---- names

std::vector<shared::Entry> SharedNames::all() const {
    std::vector<shared::Entry> out;
    for (const auto& [key, given] : given_)
        out.push_back({key, name_text(given)});
    return out;
}

std::string SharedNames::shown(const std::string& key) const {
    return "the name of " + safe_text(key);
}

std::string SharedNames::value_of(const std::string& key) const {
    const auto at = given_.find(key);
    return at == given_.end() ? std::string() : name_text(at->second);
}

Result<bool> SharedNames::take(const shared::Entry& entry, std::string_view /*box*/) {
    const auto key = key_of(entry.key);
    if (!key || *key != entry.key) return other_form();
    std::optional<GivenName> given;
    if (!entry.value.empty()) {
        const auto from = object_of(entry.value);
        if (!from) return other_form();
        auto name = checked_name(text_at(*from, "name"));
        if (!name) return name.error();
        MemberOrigin origin = shared_origin(*from);
        given = GivenName{*std::move(name), origin.at_s, std::move(origin.who)};
    }
    if (auto done = take_(entry.key, std::move(given)); !done) return done.error();
    return true;
}

// ---- groups

std::vector<shared::Entry> SharedGroups::all() const {
    std::vector<shared::Entry> out;
    for (const auto& [group, members] : book_.groups()) {
        out.push_back({MemberKey{group, {}}.text(), std::string(kGroupItself)});
        for (const auto& [member, origin] : members)
            out.push_back({MemberKey{group, member}.text(), origin_text(origin)});
    }
    return out;
}

std::size_t SharedGroups::count() const {
    std::size_t all = book_.groups().size();
    for (const auto& [group, members] : book_.groups())
        all += members.size();
    return all;
}

std::string SharedGroups::shown(const std::string& key) const {
    const auto wanted = member_key(key);
    if (!wanted) return "a member of a group";
    const std::string group = "the group " + matchers::quoted(wanted->group);
    return wanted->member.empty() ? group : wanted->member + " in " + group;
}

std::string SharedGroups::value_of(const std::string& key) const {
    const auto wanted = member_key(key);
    if (!wanted) return {};
    const auto group = book_.groups().find(wanted->group);
    if (group == book_.groups().end()) return {};
    if (wanted->member.empty()) return std::string(kGroupItself);
    const auto member = group->second.find(wanted->member);
    return member == group->second.end() ? std::string() : origin_text(member->second);
}

Result<bool> SharedGroups::take(const shared::Entry& entry, std::string_view /*box*/) {
    const auto key = member_key(entry.key);
    if (!key) return other_form();
    std::optional<MemberOrigin> origin;
    if (!entry.value.empty()) {
        const auto from = object_of(entry.value);
        if (!from) return other_form();
        origin = shared_origin(*from);
    }
    if (auto done = take_(key->group, key->member, origin); !done) return done.error();
    return true;
}

void SharedGroups::changed(const std::string& group, const std::string& member) const {
    Entries::changed(MemberKey{group, member}.text());
}

}  // namespace steer::clients
