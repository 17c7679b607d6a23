// Names of clients, as `clients.list` of the daemon has them: for reports that show addresses, and
// for options that take a client.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <vector>

namespace steerctl {

struct Options;

enum class ClientAs {
    address,
    device,  // its MAC address if it is known, as rules follow a device
};

class ClientNames {
  public:
    ClientNames() = default;
    explicit ClientNames(const boost::json::value& answer);

    // "Kitchen tablet (192.0.2.7)", or the address alone.
    [[nodiscard]] std::string shown(const std::string& address) const;

    struct Found {
        std::string client, error;  // one of the two is empty
    };
    // The only client with this name. `written` is returned if it is an address, a prefix or a MAC
    // address, or empty.
    [[nodiscard]] Found find(const std::string& written, ClientAs as) const;

  private:
    struct Row {
        std::string address, mac;  // empty: not known
    };
    std::map<std::string, std::string> names_;         // by address
    std::map<std::string, std::vector<Row>> clients_;  // by name
};

// Empty without an answer, as for users who may not see them: then reports show addresses.
ClientNames client_names(const Options& options);
// As ClientNames::find(); asks the daemon only for a name.
ClientNames::Found known_client(const Options& options, const std::string& written, ClientAs as);

}  // namespace steerctl
