// Selects the parts of a message that are repeated on other links.
//
// Always removed: link-local addresses (169.254.0.0/16, fe80::/10), which are useless on another
// link. If services are listed, only their parts are repeated:
// - names of a service (its type, subtypes, instances: PTR, SRV, TXT, NSEC), by that service;
// - the list of service types (`_services._dns-sd._udp`): all questions, and the answers for listed
//   services;
// - records and questions of a host that offers a listed service, as SRV records show (in this
//   message, or earlier: service_hosts.h); for reverse names all questions, and the answers that
//   name such a host;
// - in a probe (a query with an authority section, RFC 6762 8.2): the questions whose proposed
//   records are repeated;
// - OPT records together with their message.
//  Known answers in a query are handled as records. Records and questions are removed one by one. A
// message is not repeated if no question, answer or authority record remains. A query is not
// repeated if none of its questions remains.
#pragma once

#include <cstdint>

#include "control/config/text/service_name.h"
#include "control/mdns/message.h"
#include "control/mdns/service_hosts.h"

namespace steer::mdns {

enum class Kept : std::uint8_t { all, some, nothing };

class PacketFilter {
  public:
    explicit PacketFilter(Services services = {}) : services_(std::move(services)) {}

    // Removes the parts of `message` that are not repeated.
    Kept prune(Message& message, std::uint64_t now_ms);

    [[nodiscard]] const Services& services() const { return services_; }
    [[nodiscard]] const ServiceHosts& hosts() const { return hosts_; }

  private:
    void learn_hosts(const Message& message, std::uint64_t now_ms);
    [[nodiscard]] bool passes(const Record& record, std::uint64_t now_ms) const;
    [[nodiscard]] bool passes(const Question& question, std::uint64_t now_ms) const;
    [[nodiscard]] bool prune_records(Message& message, std::uint64_t now_ms) const;
    [[nodiscard]] bool prune_questions(Message& message, const std::set<std::string>& refused,
                                       std::uint64_t now_ms) const;

    Services services_;
    ServiceHosts hosts_;
};

}  // namespace steer::mdns
