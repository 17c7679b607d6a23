// What of a message is repeated on other links.
//
// Always left out: link-local addresses (169.254.0.0/16, fe80::/10), which are of no use on another link.
// With listed services, whatever is not about one of them:
// - names of a service (its type, subtypes, instances: PTR, SRV, TXT, NSEC) by that service;
// - the list of service types (`_services._dns-sd._udp`): its questions pass, of its answers those of listed services;
// - records and questions of a host if it offers a listed service, as SRV records said that came by (in this message, or
//   before: service_hosts.h); of reverse names the questions pass, and the answers that name such a host;
// - of a probe (a query with an authority section, RFC 6762 8.2) the questions whose proposed records pass;
// - OPT records pass with what they came with.
// Known answers of a query are records like others. Pruned is by record and question; a message of which no question, answer or
// authority record is left, or a query without any of its questions, is not repeated.
#pragma once

#include <cstdint>

#include "control/mdns/message.h"
#include "control/mdns/service_hosts.h"
#include "control/mdns/service_name.h"

namespace steer::mdns {

enum class Kept : std::uint8_t { all, some, nothing };

class PacketFilter {
  public:
    explicit PacketFilter(Services services = {}) : services_(std::move(services)) {}

    // Takes out of `message` what is not repeated.
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
