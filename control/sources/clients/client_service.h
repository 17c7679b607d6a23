// The control socket's methods about names of clients: `clients.list`, `clients.name`,
// `clients.forget`.
//
//   clients.list {"limit"}
//     {"clients": [{"address", "mac", "private_mac", "name", "source", "from", "given_at"}],
//      "total", "given", "file"}
//   clients.name {"client": ADDRESS or MAC, "name"}    {"client", "name", "kept"}
//   clients.forget {"client"}                          {"client", "name", "kept"}
//
// A name that is given to an address with a known MAC address is kept for the MAC address, so that
// it survives a new lease. A change is answered when it is on the disk; if it cannot be written, it
// is undone. All on the main thread, except writing the file.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/config/settings.h"
#include "control/host/process/side_thread.h"
#include "control/part.h"
#include "control/sources/clients/client_names.h"

namespace steer::clients {

class ClientService {
  public:
    // What other parts know now. Called for each request.
    using Known = std::function<void(std::vector<KnownClient>& out)>;

    // `file`: empty: names are not kept over a restart. `now_s`: Unix time.
    ClientService(boost::asio::io_context& main_io, std::string file, GivenNames given, Known known,
                  std::function<std::int64_t()> now_s);

    void add_methods(ops::Methods& methods);
    // Reads the names of static records.
    void follow(const config::Settings& settings);
    // Not all of the file could be read: the first change keeps it as FILE.damaged.
    void set_damaged(std::string problem) { damage_ = std::move(problem); }
    void add_problems(Problems& problems) const;
    void write_metrics(ops::MetricWriter& writer) const;
    [[nodiscard]] const GivenNames& given() const { return given_; }

  private:
    [[nodiscard]] std::vector<KnownClient> all_known() const;
    [[nodiscard]] ops::RpcResult list(const ops::Arguments& asked) const;
    void name(const ops::Arguments& asked, const ops::RpcDone& done);
    void forget(const ops::Arguments& asked, const ops::RpcDone& done);
    // `to`: no value: the name is removed.
    void change(const std::string& key, std::optional<GivenName> to, const ops::RpcDone& done);

    const std::string file_;
    GivenNames given_;
    const Known known_;
    const std::function<std::int64_t()> now_s_;
    std::vector<KnownClient> configured_;
    std::string damage_;  // of the file; empty: none
    SideThread aside_;
};

}  // namespace steer::clients
