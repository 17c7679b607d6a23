#include "dataplane/port/xdp_steering.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "dataplane/port/kernel_device.h"
#include "dataplane/port/map_change.h"
#include "dataplane/port/xdp/skeleton.h"
#include "dataplane/port/xdp/steer_xdp.h"
#include "dataplane/port/xdp_holder.h"

namespace steer {
namespace {

constexpr const char* kProgramName = "steer_xdp";
constexpr std::uint8_t kPresent = 1;

// The map format of userspace's values.
steer_xdp_address as_key(const IpAddress& address) {
    steer_xdp_address key;
    static_assert(sizeof key == sizeof address.bytes);
    std::memcpy(&key, address.bytes.data(), sizeof key);
    return key;
}
steer_xdp_upstream as_key(const UpstreamEndpoint& upstream) {
    return {as_key(upstream.address), htobe16(upstream.port), 0};
}
std::uint16_t as_key(std::uint16_t port) {
    return htobe16(port);
}
steer_xdp_vlan as_key(const OwnVlan& vlan) {
    return {vlan.tags.outer, vlan.tags.inner};
}
// In the format that the program reads from a frame.
std::uint64_t word_of(const MacAddress& mac) {
    std::uint64_t word = 0;
    std::memcpy(&word, mac.data(), mac.size());
    return word;
}

steer_xdp_address as_key(const std::pair<IpAddress, std::uint32_t>& address) {
    return as_key(address.first);
}
std::uint32_t as_value(const std::pair<IpAddress, std::uint32_t>& address) {
    return address.second;
}
std::uint64_t as_value(const OwnVlan& vlan) {
    return word_of(vlan.mac);
}
steer_xdp_prefix as_key(const XdpPrefix& prefix) {
    return {prefix.bits, as_key(prefix.address)};
}
steer_xdp_prefix as_key(const XdpBan& ban) {
    return as_key(ban.source);
}
std::uint32_t as_value(const XdpBan& ban) {
    return ban.place;
}
template <class T>
std::uint8_t as_value(const T&) {
    return kPresent;
}

template <class Key>
std::string bytes_of(const Key& key) {
    return std::string(reinterpret_cast<const char*>(&key), sizeof key);
}

// A map of the program, for change_entries().
class ProgramMap {
  public:
    explicit ProgramMap(bpf_map* map) : fd_(bpf_map__fd(map)) {}
    template <class T>
    bool put(const T& entry) {
        const auto key = as_key(entry);
        const auto value = as_value(entry);
        return bpf_map_update_elem(fd_, &key, &value, BPF_ANY) == 0;
    }
    template <class T>
    void remove(const T& entry) {
        const auto key = as_key(entry);
        bpf_map_delete_elem(fd_, &key);
    }
    template <class T>
    [[nodiscard]] std::string key(const T& entry) const {
        return bytes_of(as_key(entry));
    }

  private:
    int fd_;
};

template <class T>
Result<void> change_map(bpf_map* map, std::set<T>& now, std::set<T> wanted) {
    const std::size_t count = wanted.size();
    ProgramMap entries(map);
    if (change_entries(entries, now, std::move(wanted))) return {};
    return Error{"XDP map " + std::string(bpf_map__name(map)) + " takes no more than " +
                 std::to_string(bpf_map__max_entries(map)) + " entries, " + std::to_string(count) +
                 " are wanted: " + std::strerror(errno)};
}

// The name of a loaded program, "" if it cannot be asked.
std::string program_name(std::uint32_t id) {
    const int fd = bpf_prog_get_fd_by_id(id);
    if (fd < 0) return {};
    bpf_prog_info info{};
    std::uint32_t size = sizeof info;
    const int failed = bpf_obj_get_info_by_fd(fd, &info, &size);
    close(fd);
    return failed != 0 ? std::string() : std::string(info.name);
}

std::uint32_t flag_of(XdpSteering::Mode mode) {
    return mode == XdpSteering::Mode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
}

int link_program(int program_fd, int if_index, std::uint32_t mode_flag) {
    bpf_link_create_opts options{};
    options.sz = sizeof options;
    options.flags = mode_flag;
    const int fd = bpf_link_create(program_fd, if_index, BPF_XDP, &options);
    return fd >= 0 ? fd : -errno;
}

Error refused_program(const KernelDevice& device, int code) {
    const std::string start = device.name + " takes no XDP program";
    switch (code) {
        case EPERM:
        case EACCES:
            return Error{start +
                         ": not permitted; start as root, or with CAP_NET_ADMIN and CAP_BPF"};
        case ERANGE:
            return Error{start + " with an MTU of " + std::to_string(device.mtu) +
                         " here or at its peer; `ip link set dev " + device.name +
                         " mtu 1500` at both ends, or `driver: socket`"};
        case ENOSPC:
            return Error{start + ": its peer sends on more queues than the " +
                         std::to_string(device.rx_queues) +
                         " that it receives on; `ethtool -L PEER tx " +
                         std::to_string(device.rx_queues) + "` at the peer mends it"};
        case EBUSY:
        case EEXIST:
            return Error{start + ": another one was attached at the same moment; start again"};
        default:
            return Error{start + ": " + std::strerror(code)};
    }
}

int drop_messages(libbpf_print_level, const char*, va_list) {
    return 0;
}

}  // namespace

void XdpSteering::Unload::operator()(steer_xdp_bpf* skeleton) const {
    steer_xdp_bpf::destroy(skeleton);
}

Result<std::unique_ptr<XdpSteering>> XdpSteering::attach(const std::string& device, Hold hold) {
    libbpf_set_print(drop_messages);  // errors are reported in our own sentences
    const Result<KernelDevice> found = find_kernel_device(device);
    if (!found) return found.error();
    std::unique_ptr<XdpSteering> steering(new XdpSteering(device, found->if_index, hold));
    for (const auto step : {&XdpSteering::load, &XdpSteering::clear_leftover, &XdpSteering::hook}) {
        if (Result<void> done = (steering.get()->*step)(); !done) return done.error();
    }
    return steering;
}

XdpSteering::~XdpSteering() {
    unhook();
    if (stripping_turned_off_) set_vlan_stripping(device_, true);
}

bool XdpSteering::has_device() const {
    return has_interface(if_index_);
}

Result<void> XdpSteering::reattach() {
    const Result<KernelDevice> found = find_kernel_device(device_);
    if (!found) return found.error();
    unhook();
    if_index_ = found->if_index;
    if (Result<void> done = clear_leftover(); !done) return done;
    if (Result<void> done = hook(); !done) return done;
    if (stripping_turned_off_) set_vlan_stripping(device_, false);
    return {};
}

Result<void> XdpSteering::load() {
    skeleton_.reset(steer_xdp_bpf::open());
    if (skeleton_ == nullptr || steer_xdp_bpf::load(skeleton_.get()) != 0) {
        const int code = errno;
        return Error{
            device_ + ": the kernel does not load our XDP program: " + std::strerror(code) +
            (code == EPERM || code == EACCES
                 ? "; start as root, or with CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_NET_RAW"
                 : "; `driver: socket` serves without it")};
    }
    constexpr std::uint16_t kDns = 53;
    return set_service_ports(std::span(&kDns, 1));
}

Result<void> XdpSteering::clear_leftover() {
    bpf_xdp_query_opts attached{};
    attached.sz = sizeof attached;
    if (bpf_xdp_query(if_index_, 0, &attached) != 0) return {};  // link() will report the error
    const std::array<std::pair<std::uint32_t, std::uint32_t>, 3> modes{
        {{attached.drv_prog_id, XDP_FLAGS_DRV_MODE},
         {attached.skb_prog_id, XDP_FLAGS_SKB_MODE},
         {attached.hw_prog_id, XDP_FLAGS_HW_MODE}}};
    for (const auto& [id, mode_flag] : modes) {
        if (id == 0) continue;
        const std::string name = program_name(id);
        if (name != kProgramName) {
            return Error{device_ + " has the XDP program \"" + name + "\" (id " +
                         std::to_string(id) + ") of another program; `ip link set dev " + device_ +
                         " xdp off` removes it, or serve with `driver: socket`"};
        }
        // A program without a holder is a left-over; a linked one cannot be detached like this.
        const auto holder = find_program_holder(id);
        if (holder || bpf_xdp_detach(if_index_, mode_flag, nullptr) != 0) {
            return Error{
                device_ + " is served by another SteerDNS that is still running" +
                (holder ? " (pid " + std::to_string(holder->pid) + ", " + holder->name + ")" : "") +
                "; end that one first"};
        }
    }
    return {};
}

// 0 or the kernel's errno, negative. EINVAL of the link: a kernel without links, or a driver without
// XDP; the attachment distinguishes them.
int XdpSteering::hook_in(Mode mode) {
    const int program = bpf_program__fd(skeleton_->progs.steer_xdp);
    if (hold_ == Hold::link) {
        const int fd = link_program(program, if_index_, flag_of(mode));
        if (fd >= 0) link_fd_ = fd;
        if (fd != -EINVAL) return std::min(fd, 0);
    }
    const int failed =
        bpf_xdp_attach(if_index_, program, flag_of(mode) | XDP_FLAGS_UPDATE_IF_NOEXIST, nullptr);
    if (failed == 0) hold_ = Hold::device;
    return failed;
}

Result<void> XdpSteering::hook() {
    const Result<KernelDevice> device = find_kernel_device(device_);
    if (!device) return device.error();
    set_mac(device->mac);
    int failed = 0;
    for (const Mode mode : {Mode::native, Mode::generic}) {
        mode_ = mode;
        failed = hook_in(mode);
        hooked_ = failed == 0;
        // Only these mean that the driver has no native XDP, or not in its present set-up.
        if (failed != -EOPNOTSUPP && failed != -EINVAL) break;
    }
    if (hooked_) return {};
    return refused_program(*device, -failed);
}

void XdpSteering::unhook() {
    if (link_fd_ >= 0) close(link_fd_);  // the last reference: the kernel detaches
    link_fd_ = -1;
    if (hooked_ && hold_ == Hold::device) {
        bpf_xdp_attach_opts ours{};
        ours.sz = sizeof ours;
        ours.old_prog_fd = bpf_program__fd(skeleton_->progs.steer_xdp);
        bpf_xdp_detach(if_index_, flag_of(mode_), &ours);  // fails if it is no longer ours
    }
    hooked_ = false;
}

Result<void> XdpSteering::set_addresses(std::span<const IpAddress> service,
                                        std::span<const IpAddress> own) {
    const std::set<IpAddress> served(service.begin(), service.end());
    std::set<std::pair<IpAddress, std::uint32_t>> wanted;
    for (const IpAddress& address : served) {
        wanted.emplace(address, STEER_XDP_SERVICE | STEER_XDP_OWN);
    }
    for (const IpAddress& address : own) {
        if (!served.contains(address)) wanted.emplace(address, STEER_XDP_OWN);
    }
    return change_map(skeleton_->maps.addresses, addresses_, std::move(wanted));
}

Result<void> XdpSteering::set_service_ports(std::span<const std::uint16_t> ports) {
    return change_map(skeleton_->maps.service_ports, service_ports_,
                      std::set<std::uint16_t>(ports.begin(), ports.end()));
}

Result<void> XdpSteering::set_upstreams(std::span<const UpstreamEndpoint> upstreams) {
    return change_map(skeleton_->maps.upstreams, upstreams_,
                      std::set<UpstreamEndpoint>(upstreams.begin(), upstreams.end()));
}

void XdpSteering::set_port_range(std::uint16_t first, std::uint16_t last) noexcept {
    const std::uint32_t range = std::uint32_t{first} << 16 | last;
    __atomic_store_n(&skeleton_->data->port_range, range, __ATOMIC_RELAXED);
}

void XdpSteering::set_mac(const MacAddress& mac) noexcept {
    __atomic_store_n(&skeleton_->data->own_mac, word_of(mac), __ATOMIC_RELAXED);
}

Result<void> XdpSteering::set_vlans(std::span<const OwnVlan> vlans) {
    if (!vlans.empty() && strips_vlan_tags(device_)) {
        if (!set_vlan_stripping(device_, false)) {
            return Error{device_ +
                         " takes VLAN tags out of frames before XDP sees them and does not "
                         "stop; `ethtool -K " +
                         device_ + " rxvlan off`, or serve the VLANs with `driver: socket`"};
        }
        stripping_turned_off_ = true;
    }
    return change_map(skeleton_->maps.vlans, vlans_, std::set<OwnVlan>(vlans.begin(), vlans.end()));
}

// New exceptions come before new bans, so an exempt source is never dropped.
Result<void> XdpSteering::set_bans(std::span<const XdpBan> bans,
                                   std::span<const XdpPrefix> exempt) {
    static_assert(kMaxBans == STEER_XDP_MAX_BANS && kMaxBanExempt == STEER_XDP_MAX_BAN_EXEMPT);
    if (auto done = change_map(skeleton_->maps.ban_exempt, ban_exempt_,
                               std::set<XdpPrefix>(exempt.begin(), exempt.end()));
        !done)
        return done;
    const auto is_known = [&](const XdpBan& ban) { return bans_.contains(ban); };
    for (const XdpBan& ban : bans) {
        if (!is_known(ban)) renew_ban(ban.place, std::chrono::milliseconds(0));
    }
    Result<void> done =
        change_map(skeleton_->maps.bans, bans_, std::set<XdpBan>(bans.begin(), bans.end()));
    __atomic_store_n(&skeleton_->bss->ban_count, static_cast<std::uint32_t>(bans_.size()),
                     __ATOMIC_RELAXED);
    return done;
}

void XdpSteering::renew_ban(std::uint32_t place, std::chrono::milliseconds lifetime) noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);  // the clock of bpf_ktime_get_ns()
    const std::chrono::nanoseconds end = std::chrono::seconds(now.tv_sec) +
                                         std::chrono::nanoseconds(now.tv_nsec) +
                                         std::min(lifetime, kLongestBan);
    __atomic_store_n(&skeleton_->bss->ban_state[place % kMaxBans].expires_ns,
                     static_cast<std::uint64_t>(end.count()), __ATOMIC_RELAXED);
}

XdpBanCounts XdpSteering::ban_counts(std::uint32_t place) const noexcept {
    const steer_xdp_ban& from = skeleton_->bss->ban_state[place % kMaxBans];
    return {__atomic_load_n(&from.dropped, __ATOMIC_RELAXED),
            __atomic_load_n(&from.passed, __ATOMIC_RELAXED),
            __atomic_load_n(&from.bytes, __ATOMIC_RELAXED)};
}

int XdpSteering::sockets_fd() const noexcept {
    return bpf_map__fd(skeleton_->maps.xsks_map);
}

}  // namespace steer
