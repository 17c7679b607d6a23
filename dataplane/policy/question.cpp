#include "dataplane/policy/question.h"

#include <algorithm>
#include <cstring>

#include "dataplane/dns/ecs.h"
#include "dataplane/policy/dns64.h"
#include "dataplane/policy/snapshot.h"

namespace steer {
namespace {

constexpr std::size_t kMaxNameBytes = 255;

// A client subnet in the format behind a name.
struct Subnet {
    std::array<std::uint8_t, dns::kMaxEcs> bytes;
    std::size_t length = 0;
    dns::EcsFrom from = dns::EcsFrom::client;

    void set(std::span<const std::uint8_t> what, dns::EcsFrom whose) {
        std::copy(what.begin(), what.end(), bytes.begin());
        length = what.size();
        from = whose;
    }
};

// RFC 7871 7.1.2: with source prefix length 0 the client's address must not be sent upstream.
bool may_be_disclosed(std::span<const std::uint8_t> sent, const IpAddress& client,
                      const matchers::PrefixSet& withheld) {
    const bool refuses = !sent.empty() && sent[1] == 0;
    return !refuses && !withheld.contains(client);
}

void handle(const EcsHandler& handler, const matchers::PrefixSet& withheld,
            std::span<const std::uint8_t> sent, const IpAddress& client, Subnet& out) {
    if (handler.forward && !sent.empty()) return out.set(sent, dns::EcsFrom::forwarded);
    if (handler.preset_len > 0)
        return out.set({handler.preset.data(), handler.preset_len}, dns::EcsFrom::preset);
    out.set({}, dns::EcsFrom::nobody);
    if (!handler.send || !may_be_disclosed(sent, client, withheld)) return;
    const bool v4 = client.is_v4();
    const std::span<const std::uint8_t> address{v4 ? client.v4() : client.bytes.data(),
                                                v4 ? std::size_t{4} : std::size_t{16}};
    out.length = dns::make_ecs(address, v4 ? handler.mask4 : handler.mask6, out.bytes);
    out.from = dns::EcsFrom::address;
}

// `name`, without its root, before the target; only the target if that is too long. `room` may hold `name`.
std::span<const std::uint8_t> in_front_of(std::span<const std::uint8_t> name,
                                          std::span<const std::uint8_t> target,
                                          std::array<std::uint8_t, 256>& room) {
    if (name.size() - 1 + target.size() > kMaxNameBytes) return target;
    std::memmove(room.data(), name.data(), name.size() - 1);
    std::memcpy(room.data() + name.size() - 1, target.data(), target.size());
    return {room.data(), name.size() - 1 + target.size()};
}

}  // namespace

void rewrite(const Snapshot& snapshot, const Rewrites& rewrites, unsigned level,
             const IpAddress& client, dns::Query& q) noexcept {
    std::span<const std::uint8_t> name = q.name();
    Subnet sent, subnet;
    PointerName pointer;
    std::array<std::uint8_t, 256> longer;
    sent.set(q.ecs(), dns::EcsFrom::client);
    subnet = sent;
    for (unsigned i = 0; i < level; ++i) {
        const std::uint16_t word = rewrites[i];
        if (Rewrites::is_redirect(word)) {
            const RedirectTarget target = snapshot.redirect_target(word);
            name = target.is_below ? in_front_of(name, target.name, longer) : target.name;
        } else if (word == Rewrites::kPointer64) {
            if (const auto v4 = behind_pointer(snapshot.dns64s, name))
                name = write_pointer(*v4, pointer);
        } else if (Rewrites::is_ecs(word)) {
            handle(snapshot.ecs_handlers[word - Rewrites::kFirstEcs], snapshot.withheld,
                   {sent.bytes.data(), sent.length}, client, subnet);
        }
    }
    if (name.size() + subnet.length > UINT8_MAX) subnet.length = 0;  // as when it was read
    std::memmove(q.qname.data(), name.data(), name.size());
    std::memcpy(q.qname.data() + name.size(), subnet.bytes.data(), subnet.length);
    q.qname_len = static_cast<std::uint8_t>(name.size());
    q.edns.ecs_len = static_cast<std::uint8_t>(subnet.length);
    q.ecs_from = subnet.from;
    q.question_end = static_cast<std::uint16_t>(dns::kHeaderSize + name.size() + 4);
}

}  // namespace steer
