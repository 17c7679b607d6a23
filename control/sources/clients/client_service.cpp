#include "control/sources/clients/client_service.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <tuple>
#include <utility>
#include <variant>

#include "control/config/lists/runtime_records.h"
#include "control/config/text/dns_names.h"
#include "control/config/text/record_names.h"
#include "control/sources/clients/client_state.h"
#include "matchers/prefix/mac_address.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::clients {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr std::size_t kMaxConfigured = 65'536;
constexpr std::uint64_t kMaxRows = 65'536, kRows = 10'000;
constexpr ops::Piece kClients = ops::Piece::pages(2'000);

std::string field_of(const config::RecordFields& fields, std::string_view key) {
    const auto at = std::ranges::find_if(fields, [&](const auto& f) { return f.first == key; });
    return at == fields.end() ? std::string() : at->second;
}

object shown(const ClientRow& row) {
    object out{{"address", row.address ? value(row.address->to_string()) : value()},
               {"mac", row.mac.empty() ? value() : value(row.mac)},
               {"private_mac", is_private_mac(row.mac)},
               {"name", row.name.empty() ? value() : value(row.name)},
               {"source", row.source == NameSource::none ? value() : value(word_of(row.source))},
               {"from", row.from.empty() ? value() : value(row.from)}};
    out["given_at"] = row.at_s == 0 ? value() : value(row.at_s);
    return out;
}

// Of a row, by the text of its cursor: IPv4, IPv6, then the names that only people know.
using RowPlace = std::tuple<int, std::optional<IpAddress>, std::string>;
constexpr std::string_view kOnlyGiven = "given ";

std::string key_of_row(const ClientRow& row) {
    const std::string key = row.address ? row.address->to_string() : row.mac;
    return row.is_only_given ? std::string(kOnlyGiven) + key : key;
}

RowPlace place_of(const std::string& key) {
    if (key.starts_with(kOnlyGiven)) return {2, std::nullopt, key.substr(kOnlyGiven.size())};
    const auto address = IpAddress::parse(key);
    return {address && address->is_v4() ? 0 : 1, address, {}};
}

RowPlace place_of_row(const ClientRow& row) {
    return place_of(key_of_row(row));
}

// The MAC address of an address that has one; else the key itself.
std::string device_of(const std::vector<KnownClient>& known, const std::string& key) {
    const auto address = IpAddress::parse(key);
    const auto at = std::ranges::find_if(known, [&](const KnownClient& one) {
        return address && one.address == *address && !one.mac.empty();
    });
    return at == known.end() ? key : at->mac;
}

}  // namespace

ClientService::ClientService(boost::asio::io_context& main_io, std::string file, GivenNames given,
                             std::function<std::int64_t()> now_s)
    : file_(std::move(file)),
      given_(std::move(given)),
      shared_(given_, [this](const std::string& key,
                             std::optional<GivenName> name) { return take(key, std::move(name)); }),
      now_s_(std::move(now_s)),
      aside_(main_io, "clients") {
    for (const auto& [key, name] : given_)
        by_name_.emplace(matchers::lowered(name.name), key);
}

void ClientService::follow(const config::Settings& settings) {
    configured_.clear();
    const auto add = [this](const IpAddress& address, std::string_view name, NameSource source,
                            const std::string& tag) {
        if (!config::is_a_client(address) || configured_.size() >= kMaxConfigured) return;
        configured_.push_back({address, {}, std::string(name), source, tag});
    };
    for (const auto& plugin : config::static_plugins(settings).plugins) {
        for (const config::WrittenRecord& record : plugin.records.written) {
            const auto address = IpAddress::parse(field_of(record.fields, "address"));
            if (address && field_of(record.fields, "disabled") != "true")
                add(*address, field_of(record.fields, "name"), NameSource::record, plugin.tag);
        }
    }
    for (const config::Plugin& plugin : settings.plugins) {
        // Rules for many names are no names of devices.
        const auto is_name = [](const config::RuleAt& at) {
            return at.rule.kind == matchers::RuleKind::full;
        };
        if (const auto* const hosts = std::get_if<config::Hosts>(&plugin.args)) {
            for (const config::RuleAt& at : hosts->rules) {
                if (!is_name(at)) continue;
                for (const IpAddress& address : hosts->addresses[at.value])
                    add(address, at.rule.text, NameSource::record, plugin.tag);
            }
        } else if (const auto* const records = std::get_if<config::Arbitrary>(&plugin.args)) {
            for (const config::RuleAt& at : records->rules) {
                const auto owner = config::asked_name(at.rule.text);
                if (!is_name(at) || !owner) continue;
                for (const config::KnownRecord& record : records->records[at.value]) {
                    const auto named = config::name_in_record(*owner, record.type, record.rdata);
                    if (named)
                        add(named->address, named->name,
                            named->is_ptr ? NameSource::ptr : NameSource::record, plugin.tag);
                }
            }
        }
    }
}

std::vector<KnownClient> ClientService::all_known() const {
    std::vector<KnownClient> out;
    for (const Known& known : known_)
        known(out);
    out.insert(out.end(), configured_.begin(), configured_.end());
    return out;
}

std::uint64_t ClientService::mac_of(const IpAddress& address) const {
    return parse_mac(device_of(all_known(), address.to_string())).value_or(0);
}

ops::RpcResult ClientService::list(const ops::Arguments& asked) const {
    const std::vector<ClientRow> all = rows();
    std::uint64_t left = asked.number("limit", kRows);  // of all pages
    auto row = all.begin();
    if (const auto text = asked.find_text(ops::kCursor)) {
        const auto cursor = ops::Cursor::from(*text, 2);
        const auto number = cursor ? cursor->number(1) : std::nullopt;
        if (!number) return ops::bad_cursor();
        left = *number;
        row = std::ranges::upper_bound(all, place_of((*cursor)[0]), {}, place_of_row);
    }
    ops::PageRoom room(kClients, left);
    array out;
    for (; row != all.end() && !room.is_full(); ++row)
        room.add(out, shown(*row));
    left -= out.size();
    object page{{"clients", std::move(out)},
                {"total", all.size()},
                {"given", given_.size()},
                {"file", file_.empty() ? value() : value(file_)}};
    if (row != all.end() && left != 0)
        ops::end_page(page, ops::Cursor{key_of_row(*std::prev(row)), std::to_string(left)});
    return value(std::move(page));
}

void ClientService::name(const ops::Arguments& asked, const ops::RpcDone& done) {
    const auto client = key_of(asked.text("client"));
    if (!client) return done(ops::bad_params(client.error().text));
    auto name = checked_name(asked.text("name"));
    if (!name) return done(ops::bad_params(name.error().text));
    const std::vector<KnownClient> known = all_known();
    // A device keeps its name when its address changes.
    const std::string key = device_of(known, *client);
    Edits edits;
    if (key != *client && given_.contains(*client)) edits[*client] = std::nullopt;
    const DeviceOf device = [&known](const std::string& of) { return device_of(known, of); };
    if (const std::string why = refusal(device, key, *name); !why.empty())
        return done(ops::bad_params(why));
    if (!given_.contains(key) && given_.size() - edits.size() >= kMaxGivenNames)
        return done(ops::bad_params("there are " + std::to_string(kMaxGivenNames) +
                                    " given names already: remove some with 'clients.forget'"));
    edits[key] = GivenName{*name, now_s_(), asked.caller().name};
    change(std::move(edits), key, *name, done);
}

std::string ClientService::refusal(const DeviceOf& device_of, const std::string& key,
                                   const std::string& name) const {
    if (member_of(name))
        return matchers::quoted(name) + " is an address: write a name, as in 'kitchen tablet'";
    const auto [begin, end] = by_name_.equal_range(matchers::lowered(name));
    for (auto at = begin; at != end; ++at) {
        const std::string& other = at->second;
        if (device_of(other) != key)
            return matchers::quoted(given_.at(other).name) + " is the name of " + other +
                   ": write another name, or forget that one first";
    }
    return {};
}

Result<void> ClientService::take(const std::string& key, std::optional<GivenName> name) {
    if (name) {
        // Many names come at once, at a connection.
        if (!macs_) {
            macs_.emplace();
            for (const KnownClient& one : all_known())
                if (!one.mac.empty()) macs_->try_emplace(one.address.to_string(), one.mac);
        }
        const DeviceOf device_of = [this](const std::string& of) {
            const auto mac = macs_->find(of);
            return mac == macs_->end() ? of : mac->second;
        };
        if (member_of(name->name)) return Error{refusal(device_of, key, name->name)};
        // Of two devices with one name, all boxes leave it to the newer gift.
        const auto [begin, end] = by_name_.equal_range(matchers::lowered(name->name));
        Edits older;
        for (auto at = begin; at != end; ++at) {
            const std::string& other = at->second;
            if (device_of(other) == device_of(key)) continue;
            const GivenName& its = given_.at(other);
            if (std::tie(its.at_s, other) > std::tie(name->at_s, key))
                return Error{refusal(device_of, device_of(key), name->name)};
            older[other] = std::nullopt;
        }
        apply(older);
        if (!given_.contains(key) && given_.size() >= kMaxGivenNames)
            return Error{"there are " + std::to_string(kMaxGivenNames) + " given names already"};
    }
    apply({{key, std::move(name)}});
    has_taken_ = true;
    return {};
}

void ClientService::poll() {
    macs_.reset();
    if (!std::exchange(has_taken_, false) || file_.empty()) return;
    aside_.run([file = file_, text = state_text(given_),
                is_damaged = !damage_.empty()] { return save_names(file, text, is_damaged); },
               [this](const Result<bool>& saved) {
                   // The next change of a name writes all.
                   unwritten_ = saved ? std::string() : saved.error().sentence();
                   if (saved) damage_.clear();
               });
}

void ClientService::forget(const ops::Arguments& asked, const ops::RpcDone& done) {
    const std::string client = asked.text("client");
    std::string key = client;
    if (!given_.contains(key)) {
        // The name may be kept for the MAC address of this address, or the other way round.
        const std::vector<KnownClient> known = all_known();
        const std::string device = device_of(known, client);
        const auto at = std::ranges::find_if(
            given_, [&](const auto& one) { return device_of(known, one.first) == device; });
        if (at != given_.end()) key = at->first;
    }
    const auto at = given_.find(key);
    if (at == given_.end())
        return done(ops::bad_params("no name was given to " + key +
                                    ": see 'steerctl clients' for those that were"));
    const std::string name = at->second.name;
    change({{key, std::nullopt}}, key, name, done);
}

ClientService::Edits ClientService::apply(const Edits& edits) {
    Edits before;
    for (const auto& [key, to] : edits) {
        const auto at = given_.find(key);
        before[key] = at == given_.end() ? std::nullopt : std::optional(at->second);
        if (at != given_.end()) {
            const auto [begin, end] = by_name_.equal_range(matchers::lowered(at->second.name));
            const auto named = std::find_if(
                begin, end, [&key = key](const auto& one) { return one.second == key; });
            if (named != end) by_name_.erase(named);
        }
        if (to) {
            given_[key] = *to;
            by_name_.emplace(matchers::lowered(to->name), key);
        } else if (at != given_.end()) {
            given_.erase(at);
        }
    }
    return before;
}

void ClientService::change(Edits edits, const std::string& key, const std::string& name,
                           const ops::RpcDone& done) {
    Edits before = apply(edits);
    const auto answer = [key, name](bool kept) {
        return value(object{{"client", key}, {"name", name}, {"kept", kept}});
    };
    const auto share = [this](const Edits& shared) {
        for (const auto& [changed, to] : shared)
            shared_.changed(changed);
    };
    if (file_.empty()) {
        share(edits);
        return done(answer(false));
    }
    std::string damage = std::exchange(damage_, {});
    const bool is_damaged = !damage.empty();
    aside_.run([file = file_, text = state_text(given_),
                is_damaged] { return save_names(file, text, is_damaged); },
               [this, edits = std::move(edits), before = std::move(before), done, answer, share,
                damage = std::move(damage)](const Result<bool>& saved) mutable {
                   if (saved) {
                       share(edits);
                       return done(answer(*saved));
                   }
                   damage_ = damage;
                   // Undone, except names that were changed again.
                   for (const auto& [changed, to] : edits) {
                       const auto now = given_.find(changed);
                       const bool is_same =
                           to ? now != given_.end() && now->second == *to : now == given_.end();
                       if (!is_same) before.erase(changed);
                   }
                   apply(before);
                   done(ops::RpcError{ops::RpcCode::internal_error, saved.error().sentence()});
               });
}

void ClientService::add_problems(Problems& problems) const {
    if (!damage_.empty()) problems.push_back({"clients", damage_});
    if (!unwritten_.empty()) problems.push_back({"clients", unwritten_});
}

void ClientService::add_methods(ops::Methods& methods) {
    using ops::Changes;
    using ops::ParamType;
    constexpr ops::Parameter kClient{"client", ParamType::device,
                                     "a MAC address is as 00:1d:aa:bb:cc:dd", true};
    methods.add(
        {.name = "clients.list",
         .help = "Shows the addresses of known clients, with their names.",
         .changes = Changes::nothing(),
         .piece = kClients,
         .role = AccessRole::operate,  // MAC addresses
         .parameters = {{"limit", ParamType::number,
                         "maximum clients, of all pages; default: 10000", false, 1, kMaxRows}},
         .run = [this](const ops::Arguments& asked) { return list(asked); },
         .members = "clients total given file more? cursor?",
         .result = "the clients, each with the source of its name"});
    methods.add(
        {.name = "clients.name",
         .help = "Gives a name to a client; it replaces every other name of that client.",
         .changes = Changes::always(),
         .piece = ops::Piece::small(),
         .parameters = {kClient, {"name", ParamType::text, "at most 63 bytes of text", true}},
         .run = [this](const ops::Arguments& asked,
                       const ops::RpcDone& done) { name(asked, done); },
         .members = "client name kept",
         .result = "the client that has the name now, and whether it is kept over a restart"});
    methods.add({.name = "clients.forget",
                 .help = "Removes the name that a person gave to a client.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::small(),
                 .parameters = {kClient},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { forget(asked, done); },
                 .members = "client name kept",
                 .result = "the client, and the name that it had"});
}

void ClientService::write_metrics(ops::MetricWriter& writer) const {
    writer.family("steerdns_client_names_given");
    writer.sample({}, std::uint64_t{given_.size()});
}

}  // namespace steer::clients
