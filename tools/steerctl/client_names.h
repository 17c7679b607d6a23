// Names of clients, as `clients.list` of the daemon has them: for reports that show addresses. (What
// a person writes as a client goes to the daemon, which knows what it means.)
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <string>

namespace steerctl {

struct Options;

class ClientNames {
  public:
    ClientNames() = default;
    explicit ClientNames(const boost::json::value& answer);

    // "Kitchen tablet (192.0.2.7)", or the address alone.
    [[nodiscard]] std::string shown(const std::string& address) const;

  private:
    std::map<std::string, std::string> names_;  // by address
};

// Empty without an answer, as for users who may not see them: then reports show addresses.
ClientNames client_names(const Options& options);

}  // namespace steerctl
