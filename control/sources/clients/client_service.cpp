#include "control/sources/clients/client_service.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "control/config/lists/runtime_records.h"
#include "control/sources/clients/client_state.h"
#include "matchers/quote.h"

namespace steer::clients {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr std::size_t kMaxConfigured = 65'536;
constexpr std::uint64_t kMaxRows = 65'536, kRows = 10'000;

bool is_a_client(const IpAddress& address) {
    return !address.is_loopback() && address != IpAddress{} && address.to_string() != "0.0.0.0";
}

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

}  // namespace

ClientService::ClientService(boost::asio::io_context& main_io, std::string file, GivenNames given,
                             Known known, std::function<std::int64_t()> now_s)
    : file_(std::move(file)),
      given_(std::move(given)),
      known_(std::move(known)),
      now_s_(std::move(now_s)),
      aside_(main_io, "clients") {}

void ClientService::follow(const config::Settings& settings) {
    configured_.clear();
    const auto add = [this](const std::optional<IpAddress>& address, std::string_view name,
                            NameSource source, const std::string& tag) {
        if (!address || !is_a_client(*address) || configured_.size() >= kMaxConfigured) return;
        configured_.push_back({*address, {}, std::string(name), source, tag});
    };
    for (const auto& plugin : config::static_plugins(settings).plugins) {
        for (const config::WrittenRecord& record : plugin.records.written) {
            if (field_of(record.fields, "disabled") == "true") continue;
            add(IpAddress::parse(field_of(record.fields, "address")),
                field_of(record.fields, "name"), NameSource::record, plugin.tag);
        }
    }
}

std::vector<KnownClient> ClientService::all_known() const {
    std::vector<KnownClient> out;
    known_(out);
    out.insert(out.end(), configured_.begin(), configured_.end());
    return out;
}

ops::RpcResult ClientService::list(const ops::Arguments& asked) const {
    const std::vector<ClientRow> rows = merge(all_known(), given_);
    const std::size_t most = asked.number("limit", kRows);
    array out;
    for (const ClientRow& row : rows) {
        if (out.size() == most) break;
        out.push_back(shown(row));
    }
    return value(object{{"clients", std::move(out)},
                        {"total", rows.size()},
                        {"given", given_.size()},
                        {"file", file_.empty() ? value() : value(file_)}});
}

void ClientService::name(const ops::Arguments& asked, const ops::RpcDone& done) {
    const auto asked_key = key_of(asked.text("client"));
    if (!asked_key) return done(ops::bad_params(asked_key.error().text));
    std::string key = *asked_key;
    auto name = checked_name(asked.text("name"));
    if (!name) return done(ops::bad_params(name.error().text));
    if (key_of(*name))
        return done(ops::bad_params(matchers::quoted(*name) +
                                    " is an address: write a name, as in 'kitchen tablet'"));
    // A device keeps its name when its address changes.
    if (const auto address = IpAddress::parse(key)) {
        const auto known = all_known();
        const auto at = std::ranges::find_if(known, [&](const KnownClient& one) {
            return one.address == *address && !one.mac.empty();
        });
        if (at != known.end()) {
            given_.erase(key);
            key = at->mac;
        }
    }
    if (!given_.contains(key) && given_.size() >= kMaxGivenNames)
        return done(ops::bad_params("there are " + std::to_string(kMaxGivenNames) +
                                    " given names already: remove some with 'clients.forget'"));
    change(key, GivenName{*std::move(name), now_s_(), asked.caller().who}, done);
}

void ClientService::forget(const ops::Arguments& asked, const ops::RpcDone& done) {
    const auto asked_key = key_of(asked.text("client"));
    if (!asked_key) return done(ops::bad_params(asked_key.error().text));
    std::string key = *asked_key;
    if (const auto address = IpAddress::parse(key); address && !given_.contains(key)) {
        for (const KnownClient& one : all_known()) {
            if (one.address == *address && given_.contains(one.mac)) key = one.mac;
        }
    }
    if (!given_.contains(key))
        return done(ops::bad_params("no name was given to " + key +
                                    ": see 'steerctl clients' for those that were"));
    change(key, std::nullopt, done);
}

void ClientService::change(const std::string& key, std::optional<GivenName> to,
                           const ops::RpcDone& done) {
    const auto at = given_.find(key);
    std::optional<GivenName> before;
    if (at != given_.end()) before = at->second;
    const std::string name = to ? to->name : before->name;
    if (to) {
        given_[key] = *to;
    } else {
        given_.erase(key);
    }
    const auto answer = [key, name](bool kept) {
        return value(object{{"client", key}, {"name", name}, {"kept", kept}});
    };
    if (file_.empty()) return done(answer(false));
    std::string damage = std::exchange(damage_, {});
    const bool is_damaged = !damage.empty();
    aside_.run([file = file_, text = state_text(given_),
                is_damaged] { return save_names(file, text, is_damaged); },
               [this, key, to = std::move(to), before = std::move(before), done, answer,
                damage = std::move(damage)](const Result<bool>& saved) {
                   if (saved) return done(answer(*saved));
                   damage_ = damage;
                   // Undone, unless the name was changed again.
                   const auto now = given_.find(key);
                   const bool is_same =
                       to ? now != given_.end() && now->second == *to : now == given_.end();
                   if (is_same && before) given_[key] = *before;
                   if (is_same && !before) given_.erase(key);
                   done(ops::RpcError{ops::RpcCode::internal_error, saved.error().sentence()});
               });
}

void ClientService::add_problems(Problems& problems) const {
    if (!damage_.empty()) problems.push_back({"clients", damage_});
}

void ClientService::add_methods(ops::Methods& methods) {
    using ops::Changes;
    using ops::ParamType;
    constexpr ops::Parameter kClient{
        "client", ParamType::text, "an address, or a MAC address such as 00:1d:aa:bb:cc:dd", true};
    methods.add({.name = "clients.list",
                 .help = "Shows the addresses of known clients, with their names.",
                 .changes = Changes::nothing(),
                 .role = AccessRole::operate,  // MAC addresses
                 .parameters = {{"limit", ParamType::number, "maximum clients; default: 10000",
                                 false, 1, kMaxRows}},
                 .run = [this](const ops::Arguments& asked) { return list(asked); },
                 .members = "clients total given file",
                 .result = "the clients, each with the source of its name"});
    methods.add(
        {.name = "clients.name",
         .help = "Gives a name to a client; it replaces every other name of that client.",
         .changes = Changes::always(),
         .parameters = {kClient, {"name", ParamType::text, "at most 63 bytes of text", true}},
         .run = [this](const ops::Arguments& asked,
                       const ops::RpcDone& done) { name(asked, done); },
         .members = "client name kept",
         .result = "the client that has the name now, and whether it is kept over a restart"});
    methods.add({.name = "clients.forget",
                 .help = "Removes the name that a person gave to a client.",
                 .changes = Changes::always(),
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
