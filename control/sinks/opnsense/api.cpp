#include "control/sinks/opnsense/api.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <optional>

#include "matchers/quote.h"
#include "matchers/safe_text.h"

namespace steer::opnsense {
namespace {

namespace json = boost::json;

constexpr unsigned kMaxDepth = 8;
constexpr std::size_t kLongestWord = 256;

Result<json::value> parsed(std::string_view reply) {
    if (reply.size() > kMaxReply) return Error{"its reply is too long"};
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = kMaxDepth;
    json::value value = json::parse(reply, error, {}, options);
    if (error) return Error{"its reply is no JSON"};
    return value;
}

std::string_view word_in(const json::object& object, std::string_view key) {
    const json::value* const found = object.if_contains(key);
    const json::string* const text = found == nullptr ? nullptr : found->if_string();
    return text == nullptr || text->size() > kLongestWord ? std::string_view()
                                                          : std::string_view(*text);
}

const json::object* object_in(const json::object& object, std::string_view key) {
    const json::value* const found = object.if_contains(key);
    return found == nullptr ? nullptr : found->if_object();
}

ApiRequest change(std::string_view action, std::string_view alias, const IpAddress& address) {
    return {"/api/firewall/alias_util/" + std::string(action) + "/" + std::string(alias),
            json::serialize(json::object{{"address", address.to_string()}})};
}

// "192.0.2.1", also with the prefix length of one address; no value: a prefix, a negated element.
std::optional<IpAddress> host_of(std::string_view element) {
    const auto slash = element.find('/');
    const auto address = IpAddress::parse(element.substr(0, slash));
    if (!address || slash == std::string_view::npos) return address;
    unsigned length = 0;
    const char* const end = element.data() + element.size();
    const auto [at, error] = std::from_chars(element.data() + slash + 1, end, length);
    const bool whole = error == std::errc() && at == end;
    return whole && length == (address->is_v4() ? 32U : 128U) ? address : std::nullopt;
}

}  // namespace

// All versions since 21.7 answer this GET; those before 25.1 have no export of one alias.
ApiRequest describe_aliases() {
    return {"/api/firewall/alias/export", {}};
}

// Without `rowCount` OPNsense returns 9999 elements at most.
ApiRequest list_table(std::string_view alias) {
    return {"/api/firewall/alias_util/list/" + std::string(alias),
            json::serialize(json::object{{"current", 1}, {"rowCount", -1}})};
}

ApiRequest add_element(std::string_view alias, const IpAddress& address) {
    return change("add", alias, address);
}

ApiRequest delete_element(std::string_view alias, const IpAddress& address) {
    return change("delete", alias, address);
}

Result<AllFacts> read_facts(std::string_view reply,
                            const std::set<std::string, std::less<>>& names) {
    const auto value = parsed(reply);
    if (!value) return value.error();
    const json::object* const top = value->if_object();
    const json::object* const aliases = top == nullptr ? nullptr : object_in(*top, "aliases");
    if (aliases == nullptr || !aliases->contains("alias")) return Error{"its reply has no aliases"};
    AllFacts facts;
    // PHP writes an empty map as [].
    const json::object* const all = object_in(*aliases, "alias");
    if (all == nullptr) return facts;
    for (const auto& [uuid, entry] : *all) {
        const json::object* const one = entry.if_object();
        const std::string_view name = one == nullptr ? "" : word_in(*one, "name");
        if (!names.contains(name)) continue;
        facts.emplace(name, AliasFacts{.type = std::string(word_in(*one, "type")),
                                       .description = std::string(word_in(*one, "description")),
                                       .expire = std::string(word_in(*one, "expire")),
                                       .enabled = word_in(*one, "enabled") == "1"});
    }
    return facts;
}

Result<TableContent> read_table(std::string_view reply) {
    const auto value = parsed(reply);
    if (!value) return value.error();
    const json::object* const top = value->if_object();
    const json::value* const found = top == nullptr ? nullptr : top->if_contains("rows");
    const json::array* const rows = found == nullptr ? nullptr : found->if_array();
    if (rows == nullptr) return Error{"its reply has no rows of a table"};
    const json::value* const total = top->if_contains("total");
    // A part of the table would resemble a loss of elements.
    if (total == nullptr || !total->is_int64() ||
        total->as_int64() != static_cast<std::int64_t>(rows->size()))
        return Error{"its reply has not all rows of a table"};
    if (rows->size() > kMaxElements) return Error{"its reply has more than a million rows"};
    TableContent content;
    content.hosts.reserve(rows->size());
    for (const json::value& row : *rows) {
        const json::object* const one = row.if_object();
        const std::string_view element = one == nullptr ? "" : word_in(*one, "ip");
        if (element.empty()) return Error{"its reply has a row without an address"};
        if (const auto host = host_of(element))
            content.hosts.push_back(*host);
        else
            ++content.others;
    }
    return content;
}

Result<void> read_done(std::string_view reply) {
    const auto value = parsed(reply);
    if (!value) return value.error();
    const json::object* const object = value->if_object();
    if (object == nullptr || !object->contains("status")) return Error{"its reply has no status"};
    const std::string_view status = word_in(*object, "status");
    if (status == "done") return {};
    const std::string_view message = word_in(*object, "status_msg");
    return Error{"it replies " +
                 matchers::quoted(safe_text(message.empty() ? status : message, 120))};
}

}  // namespace steer::opnsense
