// The control socket's methods about names of clients: `clients.list`, `clients.name`,
// `clients.forget`.
//
//   clients.list {"limit"}
//     {"clients": [{"address", "mac", "private_mac", "name", "source", "from", "given_at"}],
//      "total", "given", "file"}
//   clients.name {"client": address, MAC or name, "name"}    {"client", "name", "kept"}
//   clients.forget {"client"}                                {"client", "name", "kept"}
//
// find() decides what a person means with a client, for these methods and all others.
//
// A name that is given to an address with a known MAC address is kept for the MAC address, so that
// it survives a new lease. Two devices may not have one given name. A change is answered when it is
// on the disk; if it cannot be written, it
// is undone. All on the main thread, except writing the file.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/config/settings.h"
#include "control/host/process/side_thread.h"
#include "control/part.h"
#include "control/sources/clients/client_finder.h"
#include "control/sources/clients/client_names.h"
#include "control/sources/clients/shared_clients.h"

namespace steer::clients {

class ClientService {
  public:
    // What other parts know now. Called for each request.
    using Known = std::function<void(std::vector<KnownClient>& out)>;

    // `file`: empty: names are not kept over a restart. `now_s`: Unix time.
    ClientService(boost::asio::io_context& main_io, std::string file, GivenNames given,
                  std::function<std::int64_t()> now_s);
    // Before the first request.
    void add_source(Known known) { known_.push_back(std::move(known)); }

    void add_methods(ops::Methods& methods);
    // Reads the names of the records of `static`, `hosts` and `arbitrary` plugins.
    void follow(const config::Settings& settings);
    // Not all of the file could be read: the first change keeps it as FILE.damaged.
    void set_damaged(std::string problem) { damage_ = std::move(problem); }
    void add_problems(Problems& problems) const;
    void write_metrics(ops::MetricWriter& writer) const;
    [[nodiscard]] const GivenNames& given() const { return given_; }
    // The given names as the boxes of a fleet share them.
    [[nodiscard]] shared::Entries& shared() { return shared_; }
    // Writes what other boxes changed.
    void poll();
    // The clients that are known now.
    [[nodiscard]] std::vector<ClientRow> rows() const { return merge(all_known(), given_); }
    // As mac_number(); 0: not known.
    [[nodiscard]] std::uint64_t mac_of(const IpAddress& address) const;
    // found_client() of rows().
    [[nodiscard]] Result<std::string> find(std::string_view written, ops::ClientAs as) const {
        return found_client(written, as, [this] { return rows(); });
    }

  private:
    [[nodiscard]] std::vector<KnownClient> all_known() const;
    [[nodiscard]] ops::RpcResult list(const ops::Arguments& asked) const;
    void name(const ops::Arguments& asked, const ops::RpcDone& done);
    void forget(const ops::Arguments& asked, const ops::RpcDone& done);
    // Why this name cannot be given to the device of this key; empty: it can.
    using DeviceOf = std::function<std::string(const std::string& key)>;
    [[nodiscard]] std::string refusal(const DeviceOf& device_of, const std::string& key,
                                      const std::string& name) const;
    Result<void> take(const std::string& key, std::optional<GivenName> name);
    // By key; no value: the name is removed.
    using Edits = std::map<std::string, std::optional<GivenName>>;
    // Returns what undoes them.
    Edits apply(const Edits& edits);
    void change(Edits edits, const std::string& key, const std::string& name,
                const ops::RpcDone& done);

    const std::string file_;
    GivenNames given_;
    std::multimap<std::string, std::string> by_name_;  // lower case; keys of given_
    SharedNames shared_;
    bool has_taken_ = false;  // of other boxes, since the last poll
    // While such come: MAC addresses by address.
    std::optional<std::unordered_map<std::string, std::string>> macs_;
    std::string unwritten_;  // why the file lacks what other boxes changed; empty: it has all
    std::vector<Known> known_;
    const std::function<std::int64_t()> now_s_;
    std::vector<KnownClient> configured_;
    std::string damage_;  // of the file; empty: none
    SideThread aside_;
};

}  // namespace steer::clients
