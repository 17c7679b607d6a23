#include "dataplane/port/attached_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

namespace steer {

std::string attached_xdp_program(int if_index) {
    bpf_xdp_query_opts attached{};
    attached.sz = sizeof attached;
    if (bpf_xdp_query(if_index, 0, &attached) != 0 || attached.prog_id == 0) return {};
    std::string id = "id " + std::to_string(attached.prog_id);
    const int fd = bpf_prog_get_fd_by_id(attached.prog_id);
    if (fd < 0) return id;
    bpf_prog_info info{};
    std::uint32_t size = sizeof info;
    const bool known = bpf_obj_get_info_by_fd(fd, &info, &size) == 0;
    close(fd);
    return known && info.name[0] != '\0' ? info.name : id;
}

}  // namespace steer
